//! The same declarations in two processes: the same bytes.

use std::process::Command;

use spine::event::canonical_bytes;

use crate::support::{FIRST_DAY, World};

const ROLE: &str = "SELECTION_TEST_TELL";

fn bytes() -> String {
    let mut world = World::new(17, 30);
    let mut told = String::new();
    let mut day = FIRST_DAY;
    for _ in 0..3 {
        let (lived, moves) = world.day(day, 300);
        let made: Vec<_> = lived.into_iter().map(|own| own.made).collect();
        told += &String::from_utf8(canonical_bytes(&(made, moves, &world.office)).unwrap()).unwrap();
        told.push('\n');
        day = day.tomorrow().unwrap();
    }
    told
}

#[test]
fn two_processes_choose_the_same() {
    if std::env::var_os(ROLE).is_some() {
        print!("<told>{}</told>", bytes());
        return;
    }
    let tell = || {
        let run = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "processes::two_processes_choose_the_same", "--nocapture"])
            .env(ROLE, "1")
            .output()
            .unwrap();
        let out = String::from_utf8(run.stdout).unwrap();
        let (_, told) = out.split_once("<told>").expect("the child tells");
        told.split_once("</told>").unwrap().0.to_owned()
    };
    let (first, second) = (tell(), tell());
    assert_eq!(first, second);
    assert_eq!(first, bytes());
}
