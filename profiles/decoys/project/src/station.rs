pub struct Station {
    pub name: &'static str,
    pub latitude: f64,
    pub longitude: f64,
    /// Amplitude in metres, period in hours, phase in hours.
    pub constituents: &'static [(f64, f64, f64)],
}

const STATIONS: &[Station] = &[
    Station { name: "Kiel", latitude: 54.33, longitude: 10.15, constituents: &[(0.03, 12.42, 3.1), (0.02, 23.93, 8.0)] },
    Station { name: "Cuxhaven", latitude: 53.87, longitude: 8.72, constituents: &[(1.35, 12.42, 0.6), (0.35, 12.0, 2.4), (0.11, 25.82, 5.0)] },
    Station { name: "Brest", latitude: 48.38, longitude: -4.5, constituents: &[(2.05, 12.42, 3.7), (0.75, 12.0, 4.6), (0.06, 23.93, 2.0)] },
];

impl Station {
    pub fn nearest(latitude: f64, longitude: f64) -> &'static Station {
        let far = |station: &&Station| (station.latitude - latitude).hypot(station.longitude - longitude);
        STATIONS.iter().min_by(|a, b| far(a).total_cmp(&far(b))).unwrap_or(&STATIONS[0])
    }
}
