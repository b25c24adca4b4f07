//! What was generated compiles and says what the header says.
#![allow(non_camel_case_types, non_upper_case_globals, non_snake_case, dead_code, unsafe_op_in_unsafe_fn, clippy::all)]

include!(concat!(env!("OUT_DIR"), "/bindings.rs"));

#[cfg(test)]
mod tests {
    #[test]
    fn bindings_are_those_of_the_header() {
        assert_eq!(super::Z_OK, 0);
        assert_eq!(size_of::<super::z_stream>(), 112);
    }
}
