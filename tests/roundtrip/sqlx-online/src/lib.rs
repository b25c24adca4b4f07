//! A small service: one table, one route.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use sqlx::SqlitePool;

#[derive(serde::Serialize)]
pub struct Person {
    pub id: i64,
    pub name: String,
}

pub async fn all(State(pool): State<SqlitePool>) -> Json<Vec<Person>> {
    let people = sqlx::query_as!(Person, "SELECT id, name FROM people ORDER BY id").fetch_all(&pool).await;
    Json(people.unwrap_or_default())
}

pub fn router(pool: SqlitePool) -> Router {
    Router::new().route("/people", get(all)).with_state(pool)
}

#[cfg(test)]
mod tests {
    use std::future::IntoFuture;
    use std::io::{Read, Write};

    /// As people have it: what the database is called stands in `.env`, and the service listens on a port of this machine.
    #[tokio::test]
    async fn one_person_is_served() {
        dotenvy::dotenv().unwrap();
        assert!(std::env::var("DATABASE_URL").unwrap().starts_with("sqlite:"));
        let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
        sqlx::raw_sql(include_str!("../schema.sql")).execute(&pool).await.unwrap();
        sqlx::query("INSERT INTO people (id, name) VALUES (1, 'Ada')").execute(&pool).await.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = std::thread::spawn(move || {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.write_all(b"GET /people HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            text
        });
        let served = axum::serve(listener, super::router(pool));
        let text = tokio::select! {
            served = served.into_future() => panic!("{served:?}"),
            asked = tokio::task::spawn_blocking(|| asked.join().unwrap()) => asked.unwrap(),
        };
        assert!(text.ends_with("[{\"id\":1,\"name\":\"Ada\"}]"), "{text}");
    }
}
