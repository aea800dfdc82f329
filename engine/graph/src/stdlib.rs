//! Names that Python itself provides: top-level modules of the standard library, and methods of its built-in types.

/// True for a top-level module of the standard library of any Python from 3.8 on.
pub(crate) fn is_standard(module: &str) -> bool {
    MODULES.binary_search(&module).is_ok()
}

/// True for a method that built-in types have: on an unknown receiver its name says nothing.
pub(crate) fn is_builtin_method(name: &str) -> bool {
    METHODS.binary_search(&name).is_ok()
}

/// Sorted.
#[rustfmt::skip]
const MODULES: [&str; 230] = [
    "__future__", "_collections_abc", "_thread", "_typeshed", "_weakref", "abc", "aifc", "annotationlib",
    "antigravity", "argparse", "array", "ast", "asynchat", "asyncio", "asyncore", "atexit", "audioop", "base64",
    "bdb", "binascii", "binhex", "bisect", "builtins", "bz2", "cProfile", "calendar", "cgi", "cgitb", "chunk",
    "cmath", "cmd", "code", "codecs", "codeop", "collections", "colorsys", "compileall", "compression", "concurrent",
    "configparser", "contextlib", "contextvars", "copy", "copyreg", "crypt", "csv", "ctypes", "curses", "dataclasses",
    "datetime", "dbm", "decimal", "difflib", "dis", "distutils", "doctest", "dummy_threading", "email", "encodings",
    "ensurepip", "enum", "errno", "faulthandler", "fcntl", "filecmp", "fileinput", "fnmatch", "formatter",
    "fractions", "ftplib", "functools", "gc", "genericpath", "getopt", "getpass", "gettext", "glob", "graphlib",
    "grp", "gzip", "hashlib", "heapq", "hmac", "html", "http", "idlelib", "imaplib", "imghdr", "imp", "importlib",
    "inspect", "io", "ipaddress", "itertools", "json", "keyword", "lib2to3", "linecache", "locale", "logging", "lzma",
    "macpath", "mailbox", "mailcap", "marshal", "math", "mimetypes", "mmap", "modulefinder", "msilib", "msvcrt",
    "multiprocessing", "netrc", "nis", "nntplib", "nt", "ntpath", "nturl2path", "numbers", "opcode", "operator",
    "optparse", "os", "ossaudiodev", "parser", "pathlib", "pdb", "pickle", "pickletools", "pipes", "pkgutil",
    "platform", "plistlib", "poplib", "posix", "posixpath", "pprint", "profile", "pstats", "pty", "pwd", "py_compile",
    "pyclbr", "pydoc", "pydoc_data", "pyexpat", "queue", "quopri", "random", "re", "readline", "reprlib", "resource",
    "rlcompleter", "runpy", "sched", "secrets", "select", "selectors", "shelve", "shlex", "shutil", "signal", "site",
    "smtpd", "smtplib", "sndhdr", "socket", "socketserver", "spwd", "sqlite3", "sre_compile", "sre_constants",
    "sre_parse", "ssl", "stat", "statistics", "string", "stringprep", "struct", "subprocess", "sunau", "symbol",
    "symtable", "sys", "sysconfig", "syslog", "tabnanny", "tarfile", "telnetlib", "tempfile", "termios", "textwrap",
    "this", "threading", "time", "timeit", "tkinter", "token", "tokenize", "tomllib", "trace", "traceback",
    "tracemalloc", "tty", "turtle", "turtledemo", "types", "typing", "unicodedata", "unittest", "urllib", "uu",
    "uuid", "venv", "warnings", "wave", "weakref", "webbrowser", "winreg", "winsound", "wsgiref", "xdrlib", "xml",
    "xmlrpc", "zipapp", "zipfile", "zipimport", "zlib", "zoneinfo",
];

/// Sorted.
#[rustfmt::skip]
const METHODS: [&str; 276] = [
    "absolute", "add", "addFilter", "addHandler", "anchor", "append", "appendleft", "as_integer_ratio", "as_posix",
    "as_uri", "astimezone", "bit_count", "bit_length", "buffer", "callHandlers", "capitalize", "casefold", "center",
    "chmod", "clear", "close", "closed", "combine", "conjugate", "copy", "count", "critical", "ctime", "cwd", "date",
    "day", "days", "debug", "decode", "default_factory", "denominator", "detach", "difference", "difference_update",
    "discard", "drive", "dst", "elements", "encode", "encoding", "end", "endpos", "endswith", "error", "errors",
    "exception", "exists", "expand", "expandtabs", "expanduser", "extend", "extendleft", "fatal", "fileno", "filter",
    "find", "findCaller", "findall", "finditer", "flags", "flush", "fold", "format", "format_map", "from_bytes",
    "fromhex", "fromisocalendar", "fromisoformat", "fromkeys", "fromordinal", "fromtimestamp", "fullmatch", "get",
    "getChild", "getEffectiveLevel", "getbuffer", "getvalue", "glob", "group", "groupdict", "groupindex", "groups",
    "hardlink_to", "hasHandlers", "hex", "home", "hour", "imag", "index", "info", "insert", "intersection",
    "intersection_update", "isEnabledFor", "is_absolute", "is_block_device", "is_char_device", "is_dir", "is_fifo",
    "is_file", "is_integer", "is_mount", "is_relative_to", "is_reserved", "is_socket", "is_symlink", "isalnum",
    "isalpha", "isascii", "isatty", "isdecimal", "isdigit", "isdisjoint", "isidentifier", "islower", "isnumeric",
    "isocalendar", "isoformat", "isoweekday", "isprintable", "isspace", "issubset", "issuperset", "istitle",
    "isupper", "items", "iterdir", "join", "joinpath", "keys", "lastgroup", "lastindex", "lchmod", "line_buffering",
    "link_to", "ljust", "log", "lower", "lstat", "lstrip", "makeRecord", "maketrans", "manager", "max", "maxlen",
    "microsecond", "microseconds", "min", "minute", "mkdir", "month", "most_common", "move_to_end", "name",
    "newlines", "now", "numerator", "open", "owner", "parent", "parents", "partition", "parts", "pattern", "pop",
    "popitem", "popleft", "pos", "re", "read", "read1", "read_bytes", "read_text", "readable", "readinto",
    "readinto1", "readline", "readlines", "readlink", "real", "reconfigure", "regs", "relative_to", "remove",
    "removeFilter", "removeHandler", "removeprefix", "removesuffix", "rename", "replace", "resolution", "resolve",
    "reverse", "rfind", "rglob", "rindex", "rjust", "rmdir", "root", "rotate", "rpartition", "rsplit", "rstrip",
    "samefile", "scanner", "search", "second", "seconds", "seek", "seekable", "setLevel", "setdefault", "sort",
    "span", "split", "splitlines", "startswith", "stat", "stem", "strftime", "string", "strip", "strptime", "sub",
    "subn", "subtract", "suffix", "suffixes", "swapcase", "symlink_to", "symmetric_difference",
    "symmetric_difference_update", "tell", "time", "timestamp", "timetuple", "timetz", "title", "to_bytes", "today",
    "toordinal", "total", "total_seconds", "touch", "translate", "truncate", "tzinfo", "tzname", "union", "unlink",
    "update", "upper", "utcfromtimestamp", "utcnow", "utcoffset", "utctimetuple", "values", "warn", "warning",
    "weekday", "with_name", "with_stem", "with_suffix", "writable", "write", "write_bytes", "write_text",
    "write_through", "writelines", "year", "zfill",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_so_that_search_finds_every_entry() {
        assert!(MODULES.is_sorted() && METHODS.is_sorted());
        assert!(is_standard("os") && is_standard("zoneinfo") && !is_standard("requests"));
        assert!(is_builtin_method("append") && !is_builtin_method("start_kernel"));
    }
}
