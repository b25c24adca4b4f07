/// At which of these numbers something of the user's is open (`ZOO_GIVEN` has their names in /proc), and whether a variable says so.
fn seen() -> String {
    let given = std::env::var("ZOO_GIVEN").unwrap();
    let is_given = |number: &i32| {
        let link = std::fs::read_link(format!("/proc/self/fd/{number}"));
        link.is_ok_and(|link| given.split(' ').any(|name| link == std::path::Path::new(name)))
    };
    let open: String = [3, 4, 5, 7, 9, 63].iter().filter(|number| is_given(number)).map(|number| format!(" {number}")).collect();
    open + std::env::var_os("LISTEN_FDS").map(|_| " LISTEN_FDS").unwrap_or_default()
}
