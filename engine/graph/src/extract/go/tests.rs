use super::*;
use crate::extract::describe::{bindings, imports, parts, references};
use crate::extract::extract;
use crate::facts::Language;

fn go(text: &str) -> FileFacts {
    let facts = extract(Language::Go, text.as_bytes());
    assert!(facts.problems.is_empty(), "{text}: {:?}", facts.problems);
    assert_eq!(facts.digests.len(), facts.outline.parts.len());
    facts
}

const CODE: &str = "package store\n\nimport (\n\t\"fmt\"\n\tsub \"example.com/m/sub\"\n\t_ \"embed\"\n\t. \"dot\"\n)\n\n\
     //go:embed data/*.sql \"a b.txt\"\nvar Files embed.FS\n\n\
     type Base struct{}\n\ntype Kind struct {\n\tBase\n\t*sub.Other\n\tName string\n\tnext *Kind\n}\n\n\
     type Reader interface {\n\tsub.Closer\n\tRead(p []byte) (int, error)\n}\n\n\
     func New(base Base) (*Kind, error) {\n\tk := &Kind{Base: base}\n\tfmt.Println(k)\n\treturn k, nil\n}\n\n\
     func (k *Kind) Run(x sub.Thing) {\n\tk.next.Run(x)\n\tx.Do()\n\tgo func(y int) { helper(y) }(1)\n}\n\nfunc helper(int) {}\n";

#[test]
fn definitions_imports_and_uses_are_read() {
    let facts = go(CODE);
    assert_eq!(
        parts(&facts),
        [
            "class Base",
            "class Kind",
            "class Reader",
            "method Reader.Read",
            "function New",
            "method Kind.Run",
            "function helper"
        ]
    );
    assert_eq!(imports(&facts), ["module fmt", "module example.com/m/sub as sub", "module embed as _", "star dot"]);
    let outline = &facts.outline;
    let names = |list| outline.list(list).iter().map(|name| outline.name(*name)).collect::<Vec<_>>();
    assert_eq!(names(outline.parts[2].bases), ["Base", "sub.Other"]);
    assert_eq!(names(outline.parts[3].bases), ["sub.Closer"]);
    assert_eq!(names(outline.parts[6].parameters), ["k", "x"]);
    assert_eq!(outline.name(outline.parts[5].returns), "Kind");
    let strings: Vec<&str> = outline.strings.iter().map(|string| outline.name(string.text)).collect();
    assert_eq!(strings[..2], ["data/*.sql", "a"]);
    let all: Vec<&str> = outline.all.iter().flatten().map(|name| outline.name(*name)).collect();
    assert_eq!(all, ["Files", "Base", "Kind", "Reader", "New"]);
    assert_eq!(
        bindings(&facts),
        [
            ": package = store",
            ": Files = embed.FS type",
            "Kind: Base = Base type",
            "Kind: Other = sub.Other type",
            "Kind: next = Kind type",
            "New: base = Base type",
            "New: k = Kind type",
            "Kind.Run: k = Kind type",
            "Kind.Run: x = sub.Thing type",
        ]
    );
    let uses = references(&facts);
    for expected in
        ["New: fmt.Println()", "New: Kind()", "Kind.Run: k.next.Run()", "Kind.Run: x.Do()", "Kind.Run: helper()"]
    {
        assert!(uses.iter().any(|use_| use_ == expected), "{expected}: {uses:?}");
    }
}

#[test]
fn comments_that_tools_read_are_code() {
    let source = Source::new("package a\n");
    for code in ["//go:build linux", "// +build linux", "//nolint:x", "//export F", "// Deprecated: x", "// @Summary x"]
    {
        assert!(source.is_code_comment(code, false), "{code}");
    }
    for prose in ["// New makes one.", "/* why */"] {
        assert!(!source.is_code_comment(prose, false), "{prose}");
    }
    assert!(Source::new("import \"C\"").is_code_comment("// int x;", false));
    assert!(Source::new("// Output:\n// 1").is_code_comment("// 1", false));
}

#[test]
fn white_space_and_notes_are_no_code() {
    let digests = |text: &str| go(text).digests;
    let plain = digests(CODE);
    let spaced = digests(&CODE.replace("\n\n", "\n\n\n").replace('\t', "    "));
    assert_eq!(plain, spaced);
    let noted = digests(&CODE.replace("\treturn k, nil", "\t// done\n\treturn k, nil"));
    for (index, (a, b)) in plain.iter().zip(&noted).enumerate() {
        assert_eq!((a.body, a.signature), (b.body, b.signature), "{index}");
    }
    assert_ne!(plain[5].comments, noted[5].comments);
}
