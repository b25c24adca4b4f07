//! A service that greets.

use tonic::{Request, Response, Status};

pub mod generated {
    tonic::include_proto!("greeter");
}

use generated::greeter_server::Greeter;
use generated::{Greeting, Name};

#[derive(Default)]
pub struct Polite;

#[tonic::async_trait]
impl Greeter for Polite {
    async fn greet(&self, request: Request<Name>) -> Result<Response<Greeting>, Status> {
        Ok(Response::new(Greeting { text: format!("Hello, {}!", request.into_inner().name) }))
    }
}

#[cfg(test)]
mod tests {
    use super::generated::greeter_client::GreeterClient;
    use super::generated::greeter_server::GreeterServer;
    use super::{Name, Polite};

    #[tokio::test]
    async fn somebody_is_greeted() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
        tokio::spawn(tonic::transport::Server::builder().add_service(GreeterServer::new(Polite)).serve_with_incoming(incoming));
        let mut client = GreeterClient::connect(format!("http://{address}")).await.unwrap();
        let greeting = client.greet(Name { name: "you".into() }).await.unwrap().into_inner();
        assert_eq!(greeting.text, "Hello, you!");
    }
}
