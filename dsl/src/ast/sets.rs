//! Sets of code, of models and of bundles, and tests of a field.

use super::{Compare, Date, Name, NodeId, Quantity, Text};

/// A set expression with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetExpr {
    /// Where it stands.
    pub node: NodeId,
    /// What it says.
    pub kind: SetKind,
}

/// How far a walk goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Distance {
    /// `within N`, 1 = direct.
    Within(u32),
    /// `any distance`.
    Any,
}

/// The walks over the graph. Each includes the set that it starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Walk {
    /// Who imports S.
    Importers,
    /// What S imports.
    ImportedBy,
    /// Who calls S.
    Callers,
    /// What S calls.
    Callees,
    /// Who inherits from S.
    Subtypes,
    /// What S inherits from.
    Supertypes,
    /// Who depends on S by any edge.
    Dependents,
    /// What S depends on by any edge.
    Dependencies,
    /// Tests that reach S by any edge (only test functions are members, S itself where it is a test).
    TestsOf,
}

/// Set expressions: of code, of models, of bundles, of owners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetKind {
    /// `all`
    All,
    /// `none`
    None,
    /// `path("glob")`, `path("glob") ignoring case`
    Path {
        /// The glob over repository-relative paths; `**` crosses directories, `*` does not.
        glob: Text,
        /// Letters of either case.
        ignore_case: bool,
    },
    /// `package("a.b")`: with all below.
    Package(Text),
    /// `module("a.b")`: body and everything inside.
    Module(Text),
    /// `generated`
    Generated,
    /// `class("Glob*")`: header and everything inside. The glob matches the dotted name's tail at a segment border.
    Class(Text),
    /// `header of class(…)`: only the class headers of the set.
    HeaderOf(Box<SetExpr>),
    /// `function("BootKernel.start")`: functions and methods; the glob matches the dotted name's tail at a segment border.
    Function(Text),
    /// `decorated("app.route")`: parts with a decorator whose dotted name matches; glob.
    Decorated(Text),
    /// `language(python)`
    Language(Name),
    /// `tests`: test functions, and the files that hold them.
    Tests,
    /// `public(S)`
    Public(Box<SetExpr>),
    /// `named "*kernel*" ignoring case`: parts whose own name matches.
    Named {
        /// Glob over the part's own name.
        glob: Text,
        /// Letters of either case.
        ignore_case: bool,
    },
    /// `matches(name, "regex")`, `matches(path, "regex")`; linear time.
    Matches {
        /// `name` or `path`.
        on: MatchOn,
        /// The regex.
        regex: Text,
    },
    /// `tag(kernel)`
    Tag(Name),
    /// `layer(layer1)`: a family with one of its values.
    Family {
        /// The family.
        family: Name,
        /// The value.
        value: Name,
    },
    /// `bound to model("mistral:*")`: parts bound to a model by a `binding` (or, as a guess, by a string that names it).
    BoundTo(Text),
    /// The name of a `define`.
    Defined(Name),
    /// `files of S`: every part of the files that hold a part of S.
    FilesOf(Box<SetExpr>),
    /// `modules of S`: every part of the modules that hold a part of S.
    ModulesOf(Box<SetExpr>),
    /// `members of S`: each class header in S with everything inside.
    MembersOf(Box<SetExpr>),
    /// `callers(S, within 2)`, `dependents(S, any distance)`; `certain callers(…)` leaves out guesses.
    Walk {
        /// Which.
        walk: Walk,
        /// From where.
        set: Box<SetExpr>,
        /// How far.
        distance: Distance,
        /// Without guessed edges.
        certain: bool,
    },
    /// `A plus B` (several of one operator: left to right).
    Plus(Box<SetExpr>, Box<SetExpr>),
    /// `A within B`: in both.
    Within(Box<SetExpr>, Box<SetExpr>),
    /// `A except B`.
    Except(Box<SetExpr>, Box<SetExpr>),
    /// `models`, `models where requires_hallucination_test`; tests are joined by `and`.
    Models(Vec<FieldTest>),
    /// `model("mistral:7b")`: one model, or a glob.
    Model(Text),
    /// `models used by S`
    ModelsUsedBy(Box<SetExpr>),
    /// `bundles`
    Bundles,
    /// `bundle(x)`, `bundle(lint)` as a set of one.
    Bundle(Name),
    /// `owners of S`
    OwnersOf(Box<SetExpr>),
    /// `team(governance)` as a set of people.
    Team(Name),
}

/// What a regex is matched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MatchOn {
    /// The part's own name.
    Name,
    /// The file's path.
    Path,
}

/// `commercial_use not allowed`, `trust_score < 0.8`, `requires_bias_check`, `licence is "MIT"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldTest {
    /// Where it stands.
    pub node: NodeId,
    /// The field.
    pub field: Name,
    /// The test.
    pub test: ValueTest,
}

/// A test on a field's value. A field that is absent or says `unknown` is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueTest {
    /// A bare field: it is true.
    True,
    /// `not`-ed bare field is written `FIELD is no`; `FIELD VALUE` or `FIELD is VALUE`.
    Is(Value),
    /// `FIELD not VALUE`.
    IsNot(Value),
    /// `FIELD contains VALUE`, for lists.
    Contains(Value),
    /// A comparison.
    Compare(Compare, Quantity),
}

/// A value in a test or a given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A word: `allowed`, `high`, `yes`, `no`.
    Word(Name),
    /// A string.
    Text(Text),
    /// A number.
    Quantity(Quantity),
    /// A date.
    Date(Date),
}
