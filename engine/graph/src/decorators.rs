//! What is known of decorators by their names alone.

/// Whether a decorator of this full name makes tests under other names out of what it decorates, one for each case. Those of
/// pytest itself keep the name.
#[must_use]
pub fn renames_tests(name: &str) -> bool {
    name.split('.').any(|word| matches!(word, "parameterized" | "parameterized_class" | "ddt" | "genty"))
}

/// Whether a decorator of this full name leaves what it decorates to those who name it: one that is not known may keep it for others, as
/// routes, commands and registries do.
#[must_use]
pub fn leaves_alone(name: &str) -> bool {
    const KNOWN: [&str; 41] = [
        "attr.attrs",
        "attr.define",
        "attr.frozen",
        "attr.mutable",
        "attr.s",
        "attrs.define",
        "attrs.frozen",
        "attrs.mutable",
        "classmethod",
        "contextlib.asynccontextmanager",
        "contextlib.contextmanager",
        "dataclasses.dataclass",
        "enum.unique",
        "functools.cache",
        "functools.lru_cache",
        "functools.singledispatch",
        "functools.total_ordering",
        "functools.wraps",
        "hypothesis.example",
        "hypothesis.given",
        "hypothesis.settings",
        "property",
        "pytest.fixture",
        "pytest_asyncio.fixture",
        "staticmethod",
        "typing.final",
        "typing.no_type_check",
        "typing.overload",
        "typing.runtime_checkable",
        "typing_extensions.deprecated",
        "typing_extensions.final",
        "typing_extensions.overload",
        "typing_extensions.runtime_checkable",
        "unittest.expectedFailure",
        "unittest.mock.patch",
        "unittest.mock.patch.dict",
        "unittest.mock.patch.object",
        "unittest.skip",
        "unittest.skipIf",
        "unittest.skipUnless",
        "warnings.deprecated",
    ];
    KNOWN.contains(&name) || name.starts_with("pytest.mark.")
}
