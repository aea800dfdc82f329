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
    /// The `async` keyword.
    Async,
    /// A named leaf whose text counts.
    Leaf,
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
    /// Stands for the expression inside: `await`, parentheses.
    Wrapper,
    /// `and`, `or`.
    Choice,
    Conditional,
}

/// Fields by id.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    pub(super) name: u16,
    pub(super) alias: u16,
    pub(super) definition: u16,
    pub(super) function: u16,
    pub(super) arguments: u16,
    pub(super) object: u16,
    pub(super) attribute: u16,
    pub(super) left: u16,
    pub(super) right: u16,
    pub(super) type_: u16,
    pub(super) value: u16,
    pub(super) module_name: u16,
    pub(super) return_type: u16,
    pub(super) superclasses: u16,
}

pub(super) struct Kinds {
    roles: Box<[Role]>,
    pub(super) fields: Fields,
}

impl Kinds {
    pub(super) fn role(&self, kind: u16) -> Role {
        // The error kind lies outside the table.
        self.roles.get(kind as usize).copied().unwrap_or(Role::Error)
    }

    /// What a definition of this kind defines inside a part.
    pub(super) fn definition(&self, kind: u16, inside: PartKind) -> PartKind {
        match (self.role(kind), inside) {
            (Role::Class, _) => PartKind::Class,
            (_, PartKind::Class) => PartKind::Method,
            _ => PartKind::Function,
        }
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
            if language.node_kind_is_named(id) {
                named_role(name)
            } else if name == "async" {
                Role::Async
            } else {
                Role::Token
            }
        })
        .collect();
    let field = |name: &str| language.field_id_for_name(name).map_or(0, std::num::NonZero::get);
    let fields = Fields {
        name: field("name"),
        alias: field("alias"),
        definition: field("definition"),
        function: field("function"),
        arguments: field("arguments"),
        object: field("object"),
        attribute: field("attribute"),
        left: field("left"),
        right: field("right"),
        type_: field("type"),
        value: field("value"),
        module_name: field("module_name"),
        return_type: field("return_type"),
        superclasses: field("superclasses"),
    };
    Kinds { roles, fields }
});

fn named_role(name: &str) -> Role {
    match name {
        "integer"
        | "float"
        | "true"
        | "false"
        | "none"
        | "ellipsis"
        | "string_start"
        | "string_end"
        | "string_content"
        | "escape_sequence"
        | "escape_interpolation"
        | "type_conversion" => Role::Leaf,
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
        "await" | "parenthesized_expression" => Role::Wrapper,
        "boolean_operator" => Role::Choice,
        "conditional_expression" => Role::Conditional,
        _ => Role::Inner,
    }
}
