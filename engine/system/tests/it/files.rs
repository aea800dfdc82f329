//! Bounded reads, writes that survive, walks that name what they could not read.

use std::time::Duration;

use grace_system::files::{self, FileErrorKind};
use grace_system::walk::{WalkOptions, walk};
use grace_system::{ProblemKind, env, names};

fn kind<T: std::fmt::Debug>(result: Result<T, files::FileError>) -> FileErrorKind {
    result.unwrap_err().kind
}

#[test]
fn reads_are_bounded() {
    let dir = files::temporary_dir().unwrap();
    let path = dir.path().join("file");
    std::fs::write(&path, "12345").unwrap();
    assert_eq!(files::read(&path, 5).unwrap(), b"12345");
    assert_eq!(kind(files::read(&path, 4)), FileErrorKind::TooLarge { max: 4 });
    // A file of five sparse gigabytes is refused by its size alone.
    std::fs::File::create(&path).unwrap().set_len(5 << 30).unwrap();
    assert_eq!(kind(files::read(&path, 1 << 20)), FileErrorKind::TooLarge { max: 1 << 20 });
    assert_eq!(kind(files::read(dir.path(), 5)), FileErrorKind::NotAFile);
    assert_eq!(kind(files::read(&dir.path().join("absent"), 5)), FileErrorKind::NotFound);
    std::fs::write(&path, b"\xff").unwrap();
    assert_eq!(kind(files::read_text(&path, 5)), FileErrorKind::NotText);
}

#[cfg(unix)]
#[test]
fn what_a_repository_names_is_not_read_through_links_or_pipes() {
    let dir = files::temporary_dir().unwrap();
    let root = dir.path().join("root");
    std::fs::create_dir_all(root.join("sub")).unwrap();
    std::fs::write(dir.path().join("secret"), "s").unwrap();
    std::fs::write(root.join("sub/ok"), "ok").unwrap();
    std::os::unix::fs::symlink("../secret", root.join("leak")).unwrap();
    std::os::unix::fs::symlink("..", root.join("up")).unwrap();
    std::os::unix::fs::symlink("loop", root.join("loop")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(root.join("pipe")).status().unwrap().success());
    assert_eq!(files::read_in(&root, "sub/ok", 10).unwrap(), b"ok");
    for path in ["leak", "up/secret", "loop", "loop/x"] {
        assert_eq!(kind(files::read_in(&root, path, 10)), FileErrorKind::Link, "{path}");
    }
    assert_eq!(kind(files::read_in(&root, "pipe", 10)), FileErrorKind::NotAFile);
    assert_eq!(kind(files::read(&root.join("pipe"), 10)), FileErrorKind::NotAFile);
    for path in ["../secret", "/etc/passwd", "", "sub/../../secret", "a\0b", "./sub/ok", "sub//ok"] {
        assert!(matches!(kind(files::read_in(&root, path, 10)), FileErrorKind::Unsafe(_)), "{path:?}");
    }
    // Whoever reads one after the other is told the same, whatever was read before.
    let mut look = files::LookIn::new(&root);
    let read = |look: &mut files::LookIn<'_>| look.read("sub/ok", 10).unwrap();
    for path in
        ["leak", "up/secret", "loop", "loop/x", "pipe", "../secret", "sub/../../secret", "sub/ok/x", "sub", "no/x"]
    {
        assert_eq!(kind(look.read(path, 10)), kind(files::read_in(&root, path, 10)), "{path}");
        assert_eq!(read(&mut look), (b"ok".to_vec(), files::stat_in(&root, "sub/ok").unwrap().stamp));
    }
    assert_eq!(kind(look.read("sub/ok", 1)), FileErrorKind::TooLarge { max: 1 });
    // Not even where a directory that it was in became one.
    if cfg!(target_os = "linux") {
        std::fs::rename(root.join("sub"), root.join("moved")).unwrap();
        std::os::unix::fs::symlink("moved", root.join("sub")).unwrap();
        assert_eq!(kind(look.read("sub/ok", 10)), FileErrorKind::Link);
    }
}

#[test]
fn what_is_written_piece_by_piece_appears_whole_or_not_at_all() {
    let dir = files::temporary_dir().unwrap();
    let path = dir.path().join("file");
    std::fs::write(&path, "old").unwrap();
    let piece = vec![b'x'; 50_000];
    let begun = || {
        let mut file = files::Replacement::begin(&path).unwrap();
        (0..3).for_each(|_| file.add(&piece).unwrap());
        file
    };
    drop(begun());
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    assert_eq!(files::list(dir.path()).unwrap().len(), 1);
    begun().finish().unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), piece.repeat(3));
    assert_eq!(files::list(dir.path()).unwrap().len(), 1);
}

#[test]
fn an_atomic_write_replaces_and_leaves_nothing_behind() {
    let dir = files::temporary_dir().unwrap();
    let path = dir.path().join("file");
    files::write_atomic(&path, b"one").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    files::write_atomic(&path, b"two").unwrap();
    assert_eq!(files::read(&path, 10).unwrap(), b"two");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(files::list(dir.path()).unwrap().len(), 1);
    assert_eq!(kind(files::write_atomic(&dir.path().join("absent/file"), b"x")), FileErrorKind::NotFound);
}

#[test]
fn a_new_file_is_there_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new");
    files::create_new(&path, b"whole").unwrap();
    assert!(files::create_new(&path, b"other").is_err());
    assert_eq!(std::fs::read(&path).unwrap(), b"whole");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode();
        let plain = dir.path().join("plain");
        std::fs::write(&plain, "").unwrap();
        assert_eq!(mode(&path), mode(&plain), "as any other file");
        std::fs::remove_file(plain).unwrap();
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn appended_lines_of_many_threads_stay_whole() {
    let dir = files::temporary_dir().unwrap();
    let path = dir.path().join("log");
    std::thread::scope(|scope| {
        for n in 0..4 {
            let path = &path;
            scope.spawn(move || {
                (0..25).for_each(|_| files::append(path, format!("{}\n", n.to_string().repeat(50)).as_bytes()).unwrap())
            });
        }
    });
    let text = files::read_text(&path, 1 << 20).unwrap();
    assert_eq!(text.lines().count(), 100);
    assert!(text.lines().all(|line| line.len() == 50 && line.bytes().all(|byte| byte == line.as_bytes()[0])));
}

#[test]
fn a_lock_keeps_others_out_until_it_is_dropped() {
    let dir = files::temporary_dir().unwrap();
    let path = dir.path().join("lock");
    let held = files::lock(&path, Duration::ZERO).unwrap().unwrap();
    assert!(files::lock(&path, Duration::from_millis(20)).unwrap().is_none());
    drop(held);
    assert!(files::lock(&path, Duration::ZERO).unwrap().is_some());
}

#[cfg(target_os = "linux")]
#[test]
fn a_walk_names_what_it_could_not_take() {
    use std::os::unix::ffi::OsStrExt as _;
    let dir = files::temporary_dir().unwrap();
    let root = dir.path();
    for path in ["a.py", "sub/b.py", "sub/skipped.log", ".git/config", "sub/.git/x", ".hidden/c.py"] {
        std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        std::fs::write(root.join(path), "12").unwrap();
    }
    std::fs::write(root.join(".gitignore"), "*.log\n").unwrap();
    std::os::unix::fs::symlink(".", root.join("sub/loop")).unwrap();
    std::fs::write(root.join(std::ffi::OsStr::from_bytes(b"caf\xe9.py")), "x").unwrap();
    assert!(std::process::Command::new("mkfifo").arg(root.join("pipe")).status().unwrap().success());
    let found = walk(root, WalkOptions::default());
    let paths: Vec<_> = found.files.iter().map(|file| (file.path.as_str(), file.is_symlink)).collect();
    assert_eq!(
        paths,
        [(".gitignore", false), (".hidden/c.py", false), ("a.py", false), ("sub/b.py", false), ("sub/loop", true)]
    );
    assert_eq!(found.files[2].size, 2);
    let problems: Vec<_> = found.problems.iter().map(|problem| (problem.path.as_str(), problem.kind)).collect();
    assert_eq!(problems, [("caf\\xE9.py", ProblemKind::OddName), ("pipe", ProblemKind::Special)]);
    let all = walk(root, WalkOptions { ignore_files: false, ..WalkOptions::default() });
    assert!(all.files.iter().any(|file| file.path == "sub/skipped.log"));
    let absent = walk(&root.join("absent"), WalkOptions::default());
    assert_eq!((absent.files.len(), absent.problems.len()), (0, 1));
}

#[cfg(unix)]
#[test]
fn an_unreadable_directory_is_a_problem_not_an_error() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = files::temporary_dir().unwrap();
    std::fs::create_dir(dir.path().join("closed")).unwrap();
    std::fs::write(dir.path().join("open.py"), "").unwrap();
    std::fs::set_permissions(dir.path().join("closed"), std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read_dir(dir.path().join("closed")).is_ok() {
        eprintln!("SKIPPED: this user may read everything");
        return;
    }
    let found = walk(dir.path(), WalkOptions::default());
    assert_eq!(found.files.len(), 1);
    assert_eq!((found.problems[0].path.as_str(), found.problems[0].kind), ("closed", ProblemKind::Unreadable));
}

#[test]
fn names_that_mean_git_or_a_device_somewhere_are_recognised() {
    for name in [".git", ".GIT", ".Git ", ".git.", "git~1", "GIT~1", ".g\u{200c}it", ".git::$INDEX_ALLOCATION"] {
        assert!(names::is_dot_git(name), "{name:?}");
    }
    for name in [".gitignore", "git", ".github", "git~2x"] {
        assert!(!names::is_dot_git(name), "{name:?}");
    }
    for path in ["con", "a/NUL.txt", "COM1.py", "lpt9", "x/..", "/abs", "C:\\x", "end.", "end ", "aux"] {
        assert!(names::unsafe_to_write(path).is_some(), "{path:?}");
    }
    for path in ["console.py", "com10/x", "a b/c.d", "null", "auxiliary.py", "ünï.py"] {
        assert_eq!(names::unsafe_to_write(path), None, "{path:?}");
    }
    assert_eq!(names::from_bytes(b"a\xffb"), ("a\\xFFb".to_owned(), true));
}

#[test]
fn the_environment_is_taken_by_name() {
    let taken = env::inherited(&["PATH", "CARGO_*"]);
    assert!(taken.iter().any(|(name, _)| name == "PATH"));
    assert!(taken.iter().any(|(name, _)| name == "CARGO_MANIFEST_DIR"));
    assert!(!taken.iter().any(|(name, _)| name == "HOME"));
    assert!(env::find_program("git", &env::search_path(None)).is_some());
}
