#[test]
fn works() {
    assert_eq!(one::twice(aid::three()), 6);
}
