//! What is depended on, made to do something.

#[cfg(test)]
mod tests {
    use wasmtime::{Engine, Instance, Module, Store, Trap};

    const TEXT: &str = r#"(module (func (export "seven") (result i32) i32.const 7) (func (export "stop") unreachable))"#;

    /// Code is made, mapped and run, and what goes wrong in it is a signal.
    #[test]
    fn code_is_made_and_run() {
        let engine = Engine::default();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &Module::new(&engine, TEXT).unwrap(), &[]).unwrap();
        let seven = instance.get_typed_func::<(), i32>(&mut store, "seven").unwrap();
        assert_eq!(seven.call(&mut store, ()).unwrap(), 7);
        let stop = instance.get_typed_func::<(), ()>(&mut store, "stop").unwrap();
        assert_eq!(stop.call(&mut store, ()).unwrap_err().downcast::<Trap>().unwrap(), Trap::UnreachableCodeReached);
    }
}
