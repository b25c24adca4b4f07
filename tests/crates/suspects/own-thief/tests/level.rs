#[test]
fn levels() {
    tide_gauge::post();
    assert_eq!(tide_gauge::level(1), 2);
}
