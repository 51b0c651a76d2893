// SPDX-License-Identifier: Apache-2.0
//! Keeps the memory of this process to itself.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Makes sure that a crash writes no core file, and on Linux that no other process of the same user reads the memory
/// or the environment of this one (`/proc/PID/mem`, `/proc/PID/environ`, ptrace), as a credential helper or a
/// background process of an earlier step could. Child processes write no core files either; whether they can be
/// read is up to them.
///
/// A sandbox may forbid the calls. Then the process goes on as it was: neither is needed for a signature.
pub fn keep_memory_private() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _done = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let _done = setrlimit(Resource::Core, none);
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    use super::keep_memory_private;

    #[test]
    fn the_memory_is_private() {
        keep_memory_private();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
    }
}
