//! The fingerprints that come with the product.

/// Path and text of each file, sorted by path. The paths are relative to this crate's folder.
#[must_use]
pub fn shipped() -> &'static [(&'static str, &'static str)] {
    SHIPPED
}

macro_rules! embedded {
    ($($file:literal),* $(,)?) => {
        &[$(($file, include_str!(concat!("../", $file)))),*]
    };
}

const SHIPPED: &[(&str, &str)] = embedded![
    "codellama-7b.yaml",
    "deepseek-coder-6.7b.yaml",
    "gemma2-9b.yaml",
    "llama3.2-3b.yaml",
    "mistral-7b.yaml",
    "nous-hermes2-10.7b.yaml",
    "openhermes-7b.yaml",
    "orca-mini-3b.yaml",
    "phi3-medium.yaml",
    "qwen2.5-coder-7b.yaml",
    "solar-10.7b.yaml",
    "starcoder2-7b.yaml",
    "vicuna-7b.yaml",
    "wizardcoder-7b.yaml",
    "yi-6b.yaml",
];
