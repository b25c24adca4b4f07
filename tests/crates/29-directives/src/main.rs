//! Tells what its compiler and it itself were given.

fn main() {
    let compiled = [
        option_env!("LD_PRELOAD"),
        option_env!("LD_LIBRARY_PATH"),
        option_env!("PATH"),
        option_env!("GCONV_PATH"),
        option_env!("RUSTC_WRAPPER"),
        option_env!("HOME"),
    ];
    let names = ["LD_PRELOAD", "LD_LIBRARY_PATH", "PATH", "GCONV_PATH", "RUSTC_WRAPPER", "HOME"];
    for (name, value) in names.into_iter().zip(compiled) {
        println!("zoo: compiled with {name}={}.", value.unwrap_or_default());
        println!("zoo: started with {name}={}.", std::env::var(name).unwrap_or_default());
    }
}
