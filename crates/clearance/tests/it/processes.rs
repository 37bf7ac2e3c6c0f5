//! The same commands in two processes: the same bytes.

use std::process::Command;

use clearance::{Case, Event};
use spine::event::canonical_bytes;

use crate::support::Walk;

const ROLE: &str = "CLEARANCE_TEST_TELL";
const STORY: &str = "p accept; p route yellow; o1 take; o1 request invoice; wait 5h; t send; o1 ask why; t answer so; \
     o1 escalate physical; o2 take; o2 complete irregular; t contest; o3 deny-contest; o2 detain; t contest; \
     o3 uphold; o2 withdraw; o2 complete conform; wait 30s; s tick";

fn bytes() -> String {
    let walk = Walk::go(STORY);
    let mut case = Case::lodged();
    let mut told = String::new();
    for (_, event) in &walk.events {
        case.apply(event);
        let line: (&str, _, &Case) = (Event::kind(event), event.payload(), &case);
        told += &String::from_utf8(canonical_bytes(&line).unwrap()).unwrap();
        told.push('\n');
    }
    told
}

#[test]
fn two_processes_tell_the_same_story() {
    if std::env::var_os(ROLE).is_some() {
        print!("<told>{}</told>", bytes());
        return;
    }
    let tell = || {
        let run = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "processes::two_processes_tell_the_same_story", "--nocapture"])
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
