//! A module with one function.

use pyo3::prelude::*;

#[pyfunction]
fn twice(n: i64) -> i64 {
    n * 2
}

#[pymodule]
fn twice_module(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(twice, module)?)
}
