//! The kinds and fields of the three grammars.

use std::sync::LazyLock;

use tree_sitter::Language as Grammar;

use crate::extract::core::{Lexical, Table};
use crate::facts::Language;

/// What a node is to the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum K {
    Other,
    /// An anonymous token, or a leaf that says nothing to resolution.
    Token,
    Identifier,
    TypeIdentifier,
    /// `{ a }` in an object.
    Shorthand,
    This,
    Super,
    Member,
    NestedType,
    Call,
    New,
    Arguments,
    String,
    Template,
    /// The `import` of `import("x")`.
    ImportWord,
    Import,
    ImportAlias,
    ImportClause,
    ImportRequire,
    NamedImports,
    Specifier,
    NamespaceImport,
    NamespaceExport,
    Export,
    ExportClause,
    Function,
    FunctionValue,
    Class,
    ClassValue,
    ClassBody,
    Heritage,
    HeritageClause,
    Interface,
    Enum,
    Method,
    ClassField,
    Variable,
    Declaration,
    Assignment,
    Parameters,
    Parameter,
    Catch,
    ForIn,
    Object,
    Pair,
    Namespace,
    Ambient,
    Try,
    Decorator,
    JsxOpening,
    JsxClosing,
    /// Stands for the expression inside: `await`, parentheses, `x!`, `x as T`.
    Wrapper,
    Ternary,
    Binary,
    /// A type that stands for the one inside.
    TypeWrapper,
    Union,
    Generic,
    Comment,
}

/// Fields by id.
pub(super) struct Fields {
    pub(super) name: u16,
    pub(super) alias: u16,
    pub(super) body: u16,
    pub(super) value: u16,
    pub(super) object: u16,
    pub(super) property: u16,
    pub(super) function: u16,
    pub(super) constructor: u16,
    pub(super) arguments: u16,
    pub(super) left: u16,
    pub(super) right: u16,
    pub(super) source: u16,
    pub(super) declaration: u16,
    pub(super) parameters: u16,
    pub(super) parameter: u16,
    pub(super) pattern: u16,
    pub(super) type_: u16,
    pub(super) return_type: u16,
    pub(super) type_arguments: u16,
    pub(super) module: u16,
    pub(super) key: u16,
    pub(super) consequence: u16,
    pub(super) alternative: u16,
}

/// One grammar.
pub(super) struct Dialect {
    pub(super) grammar: Grammar,
    pub(super) table: Table<K>,
    pub(super) fields: Fields,
}

static TYPESCRIPT: LazyLock<Dialect> =
    LazyLock::new(|| Dialect::new(tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into()));
static TSX: LazyLock<Dialect> = LazyLock::new(|| Dialect::new(tree_sitter_typescript::LANGUAGE_TSX.into()));
static JAVASCRIPT: LazyLock<Dialect> = LazyLock::new(|| Dialect::new(tree_sitter_javascript::LANGUAGE.into()));

impl Dialect {
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::TypeScript => &TYPESCRIPT,
            Language::Tsx => &TSX,
            _ => &JAVASCRIPT,
        }
    }

    fn new(grammar: Grammar) -> Self {
        let table = Table::new(&grammar, K::Other, classify);
        let field = |name: &str| grammar.field_id_for_name(name).map_or(0, std::num::NonZero::get);
        let fields = Fields {
            name: field("name"),
            alias: field("alias"),
            body: field("body"),
            value: field("value"),
            object: field("object"),
            property: field("property"),
            function: field("function"),
            constructor: field("constructor"),
            arguments: field("arguments"),
            left: field("left"),
            right: field("right"),
            source: field("source"),
            declaration: field("declaration"),
            parameters: field("parameters"),
            parameter: field("parameter"),
            pattern: field("pattern"),
            type_: field("type"),
            return_type: field("return_type"),
            type_arguments: field("type_arguments"),
            module: field("module"),
            key: field("key"),
            consequence: field("consequence"),
            alternative: field("alternative"),
        };
        Self { grammar, table, fields }
    }
}

fn classify(name: &str, is_named: bool) -> (K, Lexical) {
    if !is_named {
        return (K::Token, Lexical::Plain);
    }
    let kind = match name {
        "identifier" => K::Identifier,
        "type_identifier" => K::TypeIdentifier,
        "shorthand_property_identifier" => K::Shorthand,
        "this" => K::This,
        "super" => K::Super,
        "member_expression" | "nested_identifier" => K::Member,
        "nested_type_identifier" => K::NestedType,
        "call_expression" => K::Call,
        "new_expression" => K::New,
        "arguments" => K::Arguments,
        "string" => K::String,
        "template_string" => return (K::Template, Lexical::Verbatim),
        "template_substitution" => return (K::Other, Lexical::Inserted),
        "import" => K::ImportWord,
        "import_statement" => K::Import,
        "import_alias" => K::ImportAlias,
        "import_clause" => K::ImportClause,
        "import_require_clause" => K::ImportRequire,
        "named_imports" => K::NamedImports,
        "import_specifier" | "export_specifier" => K::Specifier,
        "namespace_import" => K::NamespaceImport,
        "namespace_export" => K::NamespaceExport,
        "export_statement" => K::Export,
        "export_clause" => K::ExportClause,
        "function_declaration" | "generator_function_declaration" | "function_signature" => K::Function,
        "arrow_function" | "function_expression" | "generator_function" => K::FunctionValue,
        "class_declaration" | "abstract_class_declaration" => K::Class,
        "class" => K::ClassValue,
        "class_body" | "interface_body" => K::ClassBody,
        "class_heritage" => K::Heritage,
        "extends_clause" | "implements_clause" | "extends_type_clause" => K::HeritageClause,
        "interface_declaration" => K::Interface,
        "enum_declaration" => K::Enum,
        "method_definition" | "method_signature" | "abstract_method_signature" => K::Method,
        "field_definition" | "public_field_definition" => K::ClassField,
        "variable_declarator" => K::Variable,
        "lexical_declaration" | "variable_declaration" => K::Declaration,
        "assignment_expression" => K::Assignment,
        "formal_parameters" => K::Parameters,
        "required_parameter" | "optional_parameter" => K::Parameter,
        "catch_clause" => K::Catch,
        "for_in_statement" => K::ForIn,
        "object" | "object_type" => K::Object,
        "pair" => K::Pair,
        "internal_module" | "module" => K::Namespace,
        "ambient_declaration" => K::Ambient,
        "try_statement" => K::Try,
        "decorator" => return (K::Decorator, Lexical::Decorator),
        "jsx_opening_element" | "jsx_self_closing_element" => K::JsxOpening,
        "jsx_closing_element" => K::JsxClosing,
        "await_expression"
        | "parenthesized_expression"
        | "non_null_expression"
        | "as_expression"
        | "satisfies_expression" => K::Wrapper,
        "ternary_expression" => K::Ternary,
        "binary_expression" => K::Binary,
        "type_annotation" | "parenthesized_type" | "readonly_type" => K::TypeWrapper,
        "union_type" => K::Union,
        "generic_type" => K::Generic,
        "comment" | "html_comment" | "hash_bang_line" => return (K::Comment, Lexical::Comment),
        "property_identifier"
        | "private_property_identifier"
        | "number"
        | "string_fragment"
        | "escape_sequence"
        | "statement_identifier"
        | "regex_pattern"
        | "regex_flags"
        | "jsx_text"
        | "predefined_type"
        | "true"
        | "false"
        | "null"
        | "undefined"
        | "shorthand_property_identifier_pattern" => K::Token,
        _ => K::Other,
    };
    (kind, Lexical::Plain)
}
