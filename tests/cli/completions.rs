use crate::run::{dir, run};

#[test]
fn every_shell_gets_a_script_that_names_the_commands() {
    let dir = dir();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ended = run(dir.path(), &["completions", shell]);
        assert_eq!(ended.code, 0, "{shell}: {}", ended.err);
        assert!(ended.out.contains("purser"), "{shell}");
        assert!(ended.out.contains("serve"), "{shell}");
    }
}

#[test]
fn an_unknown_shell_is_a_usage_error_that_lists_those_known() {
    let ended = run(dir().path(), &["completions", "tcsh"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("bash"), "{}", ended.err);
}
