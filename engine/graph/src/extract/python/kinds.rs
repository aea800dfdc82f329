//! The grammar's node kinds and fields, resolved once to what the walk does with them.

use std::sync::LazyLock;

use tree_sitter::Language;

use crate::code::PartKind;

/// What the walk does with a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Descend; the structure counts.
    Inner,
    /// An anonymous token: its kind says its text.
    Token,
    /// A literal that is no string.
    Leaf,
    /// A named leaf inside a string.
    Piece,
    Identifier,
    Comment,
    /// A backslash before a line end.
    Continuation,
    String,
    /// Text inside a formatted string where white space counts.
    Verbatim,
    Error,
    Module,
    Block,
    ExpressionStatement,
    Function,
    Class,
    Decorated,
    Decorator,
    Parameters,
    LambdaParameters,
    TypedParameter,
    DefaultParameter,
    Splat,
    Arguments,
    KeywordArgument,
    Call,
    Attribute,
    DottedName,
    /// An annotation.
    Type,
    Import,
    ImportFrom,
    ImportFuture,
    AliasedImport,
    RelativeImport,
    WildcardImport,
    Assignment,
    AugmentedAssignment,
    NamedExpression,
    Pattern,
    For,
    AsPattern,
    AsTarget,
    Except,
    CasePattern,
    KeywordPattern,
    SplatPattern,
    Scope,
    TypeAlias,
    If,
    Try,
    Subscript,
    /// A list or tuple.
    Sequence,
    Await,
    Parenthesized,
    Binary,
    Lambda,
    /// `*` before an expression.
    ListSplat,
    /// Strings side by side.
    Concatenated,
    /// `and`, `or`.
    Choice,
    Conditional,
}

impl Role {
    /// Whether the text of a node says all that it tells.
    pub(super) fn is_told_by_text(self) -> bool {
        matches!(self, Self::Identifier | Self::DottedName | Self::RelativeImport)
    }
}

/// What a node is to the node around it, as far as a walk asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    None,
    Name,
    Alias,
    Definition,
    Function,
    Arguments,
    Object,
    Attribute,
    Left,
    Right,
    Type,
    Value,
    ModuleName,
    ReturnType,
    Superclasses,
}

impl Field {
    fn of_name(name: &str) -> Self {
        match name {
            "name" => Self::Name,
            "alias" => Self::Alias,
            "definition" => Self::Definition,
            "function" => Self::Function,
            "arguments" => Self::Arguments,
            "object" => Self::Object,
            "attribute" => Self::Attribute,
            "left" => Self::Left,
            "right" => Self::Right,
            "type" => Self::Type,
            "value" => Self::Value,
            "module_name" => Self::ModuleName,
            "return_type" => Self::ReturnType,
            "superclasses" => Self::Superclasses,
            _ => Self::None,
        }
    }
}

pub(super) struct Kinds {
    roles: Box<[Role]>,
    fields: Box<[Field]>,
    pub(super) operator: u16,
}

impl Kinds {
    pub(super) fn role(&self, kind: u16) -> Role {
        // The error kind lies outside the table.
        self.roles.get(kind as usize).copied().unwrap_or(Role::Error)
    }

    pub(super) fn field(&self, id: u16) -> Field {
        self.fields.get(id as usize).copied().unwrap_or(Field::None)
    }
}

/// What a definition defines inside a part.
pub(super) fn defined(definition: Role, inside: PartKind) -> PartKind {
    match (definition, inside) {
        (Role::Class, _) => PartKind::Class,
        (_, PartKind::Class) => PartKind::Method,
        _ => PartKind::Function,
    }
}

static LANGUAGE: LazyLock<Language> = LazyLock::new(|| tree_sitter_python::LANGUAGE.into());

pub(super) fn language() -> &'static Language {
    &LANGUAGE
}

pub(super) static KINDS: LazyLock<Kinds> = LazyLock::new(|| {
    let language = language();
    let roles = (0..language.node_kind_count())
        .map(|id| {
            let id = id as u16;
            let name = language.node_kind_for_id(id).unwrap_or("");
            if language.node_kind_is_named(id) { named_role(name) } else { Role::Token }
        })
        .collect();
    let fields = (0..=language.field_count())
        .map(|id| Field::of_name(language.field_name_for_id(id as u16).unwrap_or_default()))
        .collect();
    let id = |name: &str| language.field_id_for_name(name).map_or(0, std::num::NonZero::get);
    Kinds { roles, fields, operator: id("operator") }
});

fn named_role(name: &str) -> Role {
    match name {
        "integer" | "float" | "true" | "false" | "none" | "ellipsis" => Role::Leaf,
        "string_start"
        | "string_end"
        | "string_content"
        | "escape_sequence"
        | "escape_interpolation"
        | "type_conversion" => Role::Piece,
        "identifier" => Role::Identifier,
        "comment" => Role::Comment,
        "line_continuation" => Role::Continuation,
        "string" => Role::String,
        "interpolation" | "format_specifier" => Role::Verbatim,
        "ERROR" => Role::Error,
        "module" => Role::Module,
        "block" => Role::Block,
        "expression_statement" => Role::ExpressionStatement,
        "function_definition" => Role::Function,
        "class_definition" => Role::Class,
        "decorated_definition" => Role::Decorated,
        "decorator" => Role::Decorator,
        "parameters" => Role::Parameters,
        "lambda_parameters" => Role::LambdaParameters,
        "typed_parameter" => Role::TypedParameter,
        "default_parameter" | "typed_default_parameter" => Role::DefaultParameter,
        "list_splat_pattern" | "dictionary_splat_pattern" => Role::Splat,
        "argument_list" => Role::Arguments,
        "keyword_argument" => Role::KeywordArgument,
        "call" => Role::Call,
        "attribute" => Role::Attribute,
        "dotted_name" => Role::DottedName,
        "type" => Role::Type,
        "import_statement" => Role::Import,
        "import_from_statement" => Role::ImportFrom,
        "future_import_statement" => Role::ImportFuture,
        "aliased_import" => Role::AliasedImport,
        "relative_import" => Role::RelativeImport,
        "wildcard_import" => Role::WildcardImport,
        "assignment" => Role::Assignment,
        "augmented_assignment" => Role::AugmentedAssignment,
        "named_expression" => Role::NamedExpression,
        "pattern_list" | "tuple_pattern" | "list_pattern" => Role::Pattern,
        "for_statement" | "for_in_clause" => Role::For,
        "as_pattern" => Role::AsPattern,
        "as_pattern_target" => Role::AsTarget,
        "except_clause" | "except_group_clause" => Role::Except,
        "case_pattern" => Role::CasePattern,
        "keyword_pattern" => Role::KeywordPattern,
        "splat_pattern" => Role::SplatPattern,
        "global_statement" | "nonlocal_statement" => Role::Scope,
        "type_alias_statement" => Role::TypeAlias,
        "if_statement" => Role::If,
        "try_statement" => Role::Try,
        "subscript" => Role::Subscript,
        "list" | "tuple" => Role::Sequence,
        "await" => Role::Await,
        "parenthesized_expression" => Role::Parenthesized,
        "binary_operator" => Role::Binary,
        "lambda" => Role::Lambda,
        "list_splat" => Role::ListSplat,
        "concatenated_string" => Role::Concatenated,
        "boolean_operator" => Role::Choice,
        "conditional_expression" => Role::Conditional,
        _ => Role::Inner,
    }
}
