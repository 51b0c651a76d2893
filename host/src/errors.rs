// SPDX-License-Identifier: Apache-2.0
//! Macros that keep everything about an error in one place.

/// An enum of errors in which each variant is one row: its message, code, class, fix and explanation.
///
/// The enum derives `thiserror::Error`, and a row is a variant of it (`#[error]`, `#[from]` and
/// `#[source]` mean what they mean there), followed by `=` and one of these:
///
/// * `"stage/what", Class { what: "...", why: "...", advice: "..." }` is an error of its own. The advice
///   is its fix, unless `fix:` precedes `what:` and is not `None`; `verifier:` after that is the fix for
///   someone who only verifies. Where the class depends on the fields, all classes are listed
///   (`Bug | Temporary`) and `class:` comes first; without it the first of them is the class, and
///   callers may choose one of the others.
/// * `also "stage/what", Class { fix: ... }` is an error whose code another row explains; `class:` may
///   precede `fix:`.
/// * `request error in "stage" { fix: ... }` is a request that failed: its reason has the explanation.
///   `verifier:` may follow.
/// * `of error` is an error that another one explains; `of error as Class` has a class of its own, and
///   `of error { fix: ... }` a fix of its own unless it is `None`.
///
/// `what` documents the variant of an error of its own, and the message shows what its fields are, so they
/// need a comment only for more than that, such as a unit. The expressions for fix and class can use the
/// fields by name; the row names the field of a tuple variant. The macro defines the enum, which is
/// `#[non_exhaustive]`, its implementation of [`Explain`](crate::Explain), and a constant `TABLE` with the
/// explanations.
///
/// ```
/// use ambisign_host::{Explain, errors};
///
/// errors! {
///     /// Why there is no answer.
///     #[derive(Debug, thiserror::Error)]
///     pub enum Error {
///         #[error("`{name}` cannot be read")]
///         Read { name: String, source: std::io::Error } = "oracle/read", Usage {
///             fix: format!("check the name `{name}`"),
///             what: "A file of the oracle could not be read.",
///             why: "Its name is wrong.",
///             advice: "Check the name.",
///         },
///         #[error("no answer")]
///         Silent = "oracle/silent", Temporary {
///             what: "The oracle does not answer.",
///             why: "It is asleep.",
///             advice: "Run again.",
///         },
///     }
/// }
///
/// assert_eq!(Error::Silent.code(), "oracle/silent");
/// assert_eq!(Error::Silent.fix().as_deref(), Some("run again"));
/// assert_eq!(Error::TABLE.codes.len(), 2);
/// ```
#[macro_export]
macro_rules! errors {
    (@fix [$fix:expr] $advice:literal) => {
        $crate::Fix::fix($fix).or_else(|| Some($crate::imperative($advice)))
    };
    (@fix [] $advice:literal) => { Some($crate::imperative($advice)) };
    (@fix_of [$fix:expr] $source:ident) => {
        $crate::Fix::fix($fix).or_else(|| $source.fix())
    };
    (@fix_of [] $source:ident) => { $source.fix() };
    (@verifier $this:ident [$fix:expr] [] []) => {
        $crate::Fix::fix($fix).or_else(|| $this.fix())
    };
    (@verifier $this:ident [] [$fix:expr] []) => {
        $crate::Fix::fix($fix).or_else(|| $this.fix())
    };
    (@verifier $this:ident [] [] [] $source:ident) => { $source.verifier_fix() };
    (@verifier $this:ident [] [] [$fix:expr] $source:ident) => {
        $crate::Fix::fix($fix).or_else(|| $source.verifier_fix())
    };
    (@verifier $this:ident [] [] []) => { $this.fix() };
    (@class [$class:expr] $first:ident) => { $class };
    (@class [] $first:ident) => { $crate::Class::$first };
    (@class_of [$class:ident] $source:ident) => { $crate::Class::$class };
    (@class_of [] $source:ident) => { $source.class() };
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $(
                $(#[$variant_meta:meta])*
                $variant:ident
                $({ $($(#[$field_meta:meta])* $field:ident: $field_type:ty),+ $(,)? })?
                $(($(#[$inner_meta:meta])* $inner:ident: $inner_type:ty))?
                =
                $($code:literal, $class:ident $(| $other_class:ident)* {
                    $(class: $class_of:expr,)?
                    $(fix: $fix:expr,)?
                    $(verifier: $verifier:expr,)?
                    what: $what:literal,
                    why: $why:literal,
                    advice: $advice:literal $(,)?
                })?
                $(also $shared:literal, $shared_class:ident {
                    $(class: $shared_class_of:expr,)?
                    fix: $shared_fix:expr $(,)?
                })?
                $(request $request:ident in $stage:literal {
                    fix: $request_fix:expr
                    $(, verifier: $request_verifier:expr)? $(,)?
                })?
                $(of $source:ident $(as $source_class:ident)? $({ fix: $source_fix:expr $(,)? })?)?
            ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[allow(missing_docs, reason = "the message of a row shows what its fields are")]
        #[non_exhaustive]
        $vis enum $name {
            $(
                $(#[doc = $what])?
                $(#[$variant_meta])*
                $variant
                $({ $($(#[$field_meta])* $field: $field_type),+ })?
                $(($(#[$inner_meta])* $inner_type))?
            ),+
        }

        #[allow(unused_variables, reason = "few rows need every field")]
        impl $crate::Explain for $name {
            fn code(&self) -> ::std::borrow::Cow<'static, str> {
                match self {
                    $(Self::$variant $({ $($field),+ })? $(($inner))? => {
                        $($code.into())?
                        $($shared.into())?
                        $(format!(concat!($stage, "/{}"), $request.variant()).into())?
                        $($source.code())?
                    })+
                }
            }

            fn fix(&self) -> ::std::option::Option<::std::borrow::Cow<'static, str>> {
                match self {
                    $(Self::$variant $({ $($field),+ })? $(($inner))? => {
                        $($crate::errors!(@fix [$($fix)?] $advice))?
                        $($crate::Fix::fix($shared_fix))?
                        $($crate::Fix::fix($request_fix))?
                        $($crate::errors!(@fix_of [$($source_fix)?] $source))?
                    })+
                }
            }

            fn verifier_fix(&self) -> ::std::option::Option<::std::borrow::Cow<'static, str>> {
                match self {
                    $(Self::$variant $({ $($field),+ })? $(($inner))? => {
                        $crate::errors!(@verifier self
                            [$($($verifier)?)?] [$($($request_verifier)?)?] [$($($source_fix)?)?] $($source)?)
                    })+
                }
            }

            fn class(&self) -> $crate::Class {
                match self {
                    $(Self::$variant $({ $($field),+ })? $(($inner))? => {
                        $($crate::errors!(@class [$($class_of)?] $class))?
                        $($crate::errors!(@class [$($shared_class_of)?] $shared_class))?
                        $($request.class())?
                        $($crate::errors!(@class_of [$($source_class)?] $source))?
                    })+
                }
            }
        }

        impl $name {
            /// The explanations of the codes of these errors.
            $vis const TABLE: $crate::Table = $crate::Table {
                codes: &[$($($crate::Code {
                    name: $code,
                    classes: &[$crate::Class::$class $(, $crate::Class::$other_class)*],
                    what: $what,
                    why: $why,
                    advice: $advice,
                },)?)+],
                requests: &[$($($stage,)?)+],
            };
        }
    };
}

/// Codes that are reported without an enum of errors, mostly those of warnings. Each row defines a
/// constant for its code, documented by `what`, with a class if the code ends a run; one more constant
/// holds all explanations.
///
/// ```
/// ambisign_host::codes! {
///     /// The warnings of the oracle.
///     pub WARNINGS {
///         pub SLOW = "oracle/slow" {
///             what: "The oracle takes its time.",
///             why: "It was asked many questions.",
///             advice: "Ask it fewer.",
///         },
///     }
/// }
///
/// assert_eq!(SLOW, WARNINGS.codes[0].name);
/// ```
#[macro_export]
macro_rules! codes {
    (
        $(#[$meta:meta])*
        $vis:vis $table:ident {
            $(
                $(#[$row_meta:meta])*
                $row_vis:vis $name:ident = $code:literal $(, $class:ident)? {
                    what: $what:literal,
                    why: $why:literal,
                    advice: $advice:literal $(,)?
                }
            ),+ $(,)?
        }
    ) => {
        $(#[doc = $what] $(#[$row_meta])* $row_vis const $name: &str = $code;)+

        $(#[$meta])*
        $vis const $table: $crate::Table = $crate::Table {
            codes: &[$($crate::Code {
                name: $name,
                classes: &[$($crate::Class::$class)?],
                what: $what,
                why: $why,
                advice: $advice,
            }),+],
            requests: &[],
        };
    };
}
