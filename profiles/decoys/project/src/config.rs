pub struct Config {
    pub port: u16,
}

impl Config {
    pub fn from_environment() -> Config {
        let port = std::env::var("APP_PORT").ok().and_then(|text| text.parse().ok());
        Config { port: port.unwrap_or(8080) }
    }
}
