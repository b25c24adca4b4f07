mod config;
mod harmonics;
mod station;

use config::Config;
use station::Station;

fn main() {
    let config = Config::from_environment();
    let mut numbers = std::env::args().skip(1).filter_map(|text| text.parse().ok());
    let (latitude, longitude) = (numbers.next().unwrap_or(54.32), numbers.next().unwrap_or(10.13));
    let station = Station::nearest(latitude, longitude);
    println!("{} (port {})", station.name, config.port);
    for hour in 0..24 {
        println!("{hour:02}:00  {:+.2} m", harmonics::level(&station, f64::from(hour)));
    }
}
