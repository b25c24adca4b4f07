//! The same file through the system's protoc, through the one that a crate brings along, and through a parser in Rust.

fn main() {
    tonic_prost_build::configure().build_client(false).build_server(false).compile_protos(&["proto/hello.proto"], &["proto"]).unwrap();
    let out = std::path::PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    let of = |name: &str| {
        let dir = out.join(name);
        std::fs::create_dir_all(&dir).unwrap();
        dir
    };
    let mut vendored = prost_build::Config::new();
    vendored.protoc_executable(protoc_bin_vendored::protoc_bin_path().unwrap()).out_dir(of("vendored"));
    vendored.compile_protos(&["proto/hello.proto"], &["proto"]).unwrap();
    let mut pure = protobuf_codegen::Codegen::new();
    pure.pure().include("proto").include(protoc_bin_vendored::include_path().unwrap()).input("proto/hello.proto").out_dir(of("pure")).run().unwrap();
    capnpc::CompilerCommand::new().src_prefix("proto").file("proto/point.capnp").output_path(of("capnp")).run().unwrap();
}
