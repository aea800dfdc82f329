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
    /// `a::b`, in expressions, types and `use`.
    Scoped,
    Field,
    Call,
    Arguments,
    StructValue,
    Macro,
    MacroDefinition,
    TokenTree,
    String,
    Mod,
    Use,
    UseList,
    ScopedUseList,
    UseAs,
    UseWildcard,
    ExternCrate,
    Function,
    Modifiers,
    Visibility,
    Parameter,
    SelfParameter,
    Type,
    FieldDeclaration,
    Trait,
    Impl,
    Const,
    Let,
    Attribute,
    AttributeBody,
    Generic,
    GenericFunction,
    Reference,
    TypeWrapper,
    TypeArguments,
    Wrapper,
    SelfWord,
    SuperWord,
    CrateWord,
    Comment,
}

/// Fields by id.
pub(super) struct Fields {
    pub(super) name: u16,
    pub(super) alias: u16,
    pub(super) path: u16,
    pub(super) list: u16,
    pub(super) argument: u16,
    pub(super) body: u16,
    pub(super) value: u16,
    pub(super) field: u16,
    pub(super) function: u16,
    pub(super) arguments: u16,
    pub(super) macro_: u16,
    pub(super) parameters: u16,
    pub(super) pattern: u16,
    pub(super) type_: u16,
    pub(super) trait_: u16,
    pub(super) bounds: u16,
    pub(super) return_type: u16,
    pub(super) type_arguments: u16,
}

pub(super) static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| tree_sitter_rust::LANGUAGE.into());

pub(super) static KINDS: LazyLock<Table<K>> = LazyLock::new(|| Table::new(&GRAMMAR, K::Other, classify));

pub(super) static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    let field = |name: &str| GRAMMAR.field_id_for_name(name).map_or(0, std::num::NonZero::get);
    Fields {
        name: field("name"),
        alias: field("alias"),
        path: field("path"),
        list: field("list"),
        argument: field("argument"),
        body: field("body"),
        value: field("value"),
        field: field("field"),
        function: field("function"),
        arguments: field("arguments"),
        macro_: field("macro"),
        parameters: field("parameters"),
        pattern: field("pattern"),
        type_: field("type"),
        trait_: field("trait"),
        bounds: field("bounds"),
        return_type: field("return_type"),
        type_arguments: field("type_arguments"),
    }
});

fn classify(name: &str, is_named: bool) -> (K, Lexical) {
    if !is_named {
        return (K::Token, Lexical::Plain);
    }
    let kind = match name {
        "identifier" | "shorthand_field_identifier" => K::Identifier,
        "type_identifier" => K::TypeIdentifier,
        "scoped_identifier" | "scoped_type_identifier" => K::Scoped,
        "field_expression" => K::Field,
        "call_expression" => K::Call,
        "arguments" => K::Arguments,
        "struct_expression" => K::StructValue,
        "macro_invocation" => K::Macro,
        "macro_definition" => K::MacroDefinition,
        "token_tree" | "token_repetition" => K::TokenTree,
        "string_literal" | "raw_string_literal" => return (K::String, Lexical::Verbatim),
        "mod_item" => K::Mod,
        "use_declaration" => K::Use,
        "use_list" => K::UseList,
        "scoped_use_list" => K::ScopedUseList,
        "use_as_clause" => K::UseAs,
        "use_wildcard" => K::UseWildcard,
        "extern_crate_declaration" => K::ExternCrate,
        "function_item" | "function_signature_item" => K::Function,
        "function_modifiers" => K::Modifiers,
        "visibility_modifier" => K::Visibility,
        "parameter" => K::Parameter,
        "self_parameter" => K::SelfParameter,
        "struct_item" | "enum_item" | "union_item" => K::Type,
        "field_declaration" => K::FieldDeclaration,
        "trait_item" => K::Trait,
        "impl_item" => K::Impl,
        "const_item" | "static_item" | "type_item" => K::Const,
        "let_declaration" => K::Let,
        "attribute_item" => return (K::Attribute, Lexical::Decorator),
        // An inner attribute speaks of what is around it.
        "inner_attribute_item" => K::Other,
        "attribute" => K::AttributeBody,
        "generic_type" | "generic_type_with_turbofish" => K::Generic,
        "generic_function" => K::GenericFunction,
        "reference_expression" => K::Reference,
        "reference_type" | "dynamic_type" | "abstract_type" | "pointer_type" => K::TypeWrapper,
        "type_arguments" => K::TypeArguments,
        "await_expression" | "parenthesized_expression" | "try_expression" => K::Wrapper,
        "self" => K::SelfWord,
        "super" => K::SuperWord,
        "crate" => K::CrateWord,
        "line_comment" | "block_comment" | "shebang" => return (K::Comment, Lexical::Comment),
        "field_identifier" | "integer_literal" | "float_literal" | "boolean_literal" | "char_literal"
        | "primitive_type" | "string_content" | "escape_sequence" | "lifetime" | "metavariable" | "label" => K::Token,
        _ => K::Other,
    };
    (kind, Lexical::Plain)
}
