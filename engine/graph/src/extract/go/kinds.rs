//! The kinds and fields of the grammar.

use std::sync::LazyLock;

use tree_sitter::Language as Grammar;

use crate::extract::core::{Lexical, Table};

/// What a node is to the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum K {
    Other,
    Token,
    Identifier,
    TypeIdentifier,
    PackageName,
    Selector,
    QualifiedType,
    Call,
    Arguments,
    Composite,
    String,
    Package,
    Import,
    Function,
    FunctionValue,
    Method,
    InterfaceMethod,
    Type,
    Struct,
    FieldList,
    FieldDeclaration,
    Interface,
    TypeElement,
    Variable,
    ShortVariable,
    Range,
    Parameters,
    Parameter,
    Generic,
    Pointer,
    Unary,
    Wrapper,
    Comment,
}

/// Fields by id.
pub(super) struct Fields {
    pub(super) name: u16,
    pub(super) path: u16,
    pub(super) body: u16,
    pub(super) value: u16,
    pub(super) field: u16,
    pub(super) operand: u16,
    pub(super) package: u16,
    pub(super) function: u16,
    pub(super) parameters: u16,
    pub(super) receiver: u16,
    pub(super) result: u16,
    pub(super) type_: u16,
    pub(super) left: u16,
    pub(super) right: u16,
}

pub(super) static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| tree_sitter_go::LANGUAGE.into());

pub(super) static KINDS: LazyLock<Table<K>> = LazyLock::new(|| Table::new(&GRAMMAR, K::Other, classify));

pub(super) static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    let field = |name: &str| GRAMMAR.field_id_for_name(name).map_or(0, std::num::NonZero::get);
    Fields {
        name: field("name"),
        path: field("path"),
        body: field("body"),
        value: field("value"),
        field: field("field"),
        operand: field("operand"),
        package: field("package"),
        function: field("function"),
        parameters: field("parameters"),
        receiver: field("receiver"),
        result: field("result"),
        type_: field("type"),
        left: field("left"),
        right: field("right"),
    }
});

fn classify(name: &str, is_named: bool) -> (K, Lexical) {
    if !is_named {
        return (K::Token, Lexical::Plain);
    }
    let kind = match name {
        "identifier" => K::Identifier,
        "type_identifier" => K::TypeIdentifier,
        "package_identifier" => K::PackageName,
        "selector_expression" => K::Selector,
        "qualified_type" => K::QualifiedType,
        "call_expression" => K::Call,
        "argument_list" => K::Arguments,
        "composite_literal" => K::Composite,
        "interpreted_string_literal" | "raw_string_literal" => return (K::String, Lexical::Verbatim),
        "package_clause" => K::Package,
        "import_spec" => K::Import,
        "function_declaration" => K::Function,
        "func_literal" => K::FunctionValue,
        "method_declaration" => K::Method,
        "method_elem" => K::InterfaceMethod,
        "type_spec" | "type_alias" => K::Type,
        "struct_type" => K::Struct,
        "field_declaration_list" => K::FieldList,
        "field_declaration" => K::FieldDeclaration,
        "interface_type" => K::Interface,
        "type_elem" => K::TypeElement,
        "var_spec" | "const_spec" => K::Variable,
        "short_var_declaration" => K::ShortVariable,
        "range_clause" => K::Range,
        "parameter_list" => K::Parameters,
        "parameter_declaration" | "variadic_parameter_declaration" => K::Parameter,
        "generic_type" | "type_instantiation_expression" => K::Generic,
        "pointer_type" => K::Pointer,
        "unary_expression" => K::Unary,
        "parenthesized_expression" | "parenthesized_type" | "type_assertion_expression" => K::Wrapper,
        "comment" => return (K::Comment, Lexical::Comment),
        "field_identifier"
        | "label_name"
        | "blank_identifier"
        | "dot"
        | "int_literal"
        | "float_literal"
        | "imaginary_literal"
        | "rune_literal"
        | "nil"
        | "true"
        | "false"
        | "iota"
        | "escape_sequence"
        | "interpreted_string_literal_content"
        | "raw_string_literal_content" => K::Token,
        _ => K::Other,
    };
    (kind, Lexical::Plain)
}
