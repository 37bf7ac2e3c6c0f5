//! A server that is backed up while it runs, by a program that is killed, and the same server on what was restored.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::crash::{Server, declaration, prepare};
use crate::http::Client;
use crate::postgres_server;
use crate::support::{command, run};

fn lodge(client: &mut Client, references: std::ops::Range<u32>) -> Vec<String> {
    references
        .map(|number| {
            let body = declaration(&format!("BACKUP-{number:04}"));
            let answer = client.ask("POST", "/api/v1/declarations", Some(&body)).unwrap();
            assert!(matches!(answer.status, 200 | 201), "{}", answer.json());
            answer.json()["mrn"].as_str().unwrap().to_owned()
        })
        .collect()
}

fn backup(folder: &Path) -> Child {
    let arguments = ["backup", "--data", "data", "--to", "backup", "--json"];
    command(folder, &arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn a_served_folder_is_backed_up_restored_and_served_again() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let token = prepare(at);
    let server = Server::start(at, "data");
    let mut client = Client::connect(&server.address, &token).unwrap();
    let mut mrns = lodge(&mut client, 0..40);
    // Killed at moments that lie ever later, it is begun again each time, on top of what there is.
    for (kill, pause) in [1, 4, 9, 16, 25, 40, 60, 90].into_iter().enumerate() {
        let mut running = backup(at);
        std::thread::sleep(Duration::from_millis(pause));
        let _ = running.kill();
        running.wait().unwrap();
        let first = u32::try_from(40 + kill).unwrap();
        mrns.extend(lodge(&mut client, first..first + 1));
    }
    let done = run(at, &["backup", "--data", "data", "--to", "backup", "--json"]).expect(0).json();
    assert_eq!(done["lost_by_the_folder"].as_array().unwrap().len(), 0, "{done}");
    let again = run(at, &["backup", "--data", "data", "--to", "backup", "--check"]).expect(0);
    assert!(again.out.contains("the backup of node-"), "{again:?}");
    drop(server);
    let used = run(at, &["restore", "--from", "backup", "--to", "data"]).expect(3);
    assert!(used.err.contains("[restore_folder_used]"), "{}", used.err);
    fs::rename(at.join("data"), at.join("lost")).unwrap();
    let back = run(at, &["restore", "--from", "backup", "--to", "data"]).expect(0);
    assert!(back.out.contains("everything holds"), "{back:?}");
    run(at, &["verify", "folder", "--data", "data"]).expect(0);
    let server = Server::start(at, "data");
    let mut client = Client::connect(&server.address, &token).unwrap();
    for (number, mrn) in (0..).zip(&mrns) {
        let answer =
            client.ask("POST", "/api/v1/declarations", Some(&declaration(&format!("BACKUP-{number:04}"))));
        let answer = answer.unwrap().json();
        assert_eq!(
            (answer["mrn"].as_str(), &answer["repeated"]),
            (Some(mrn.as_str()), &true.into()),
            "{answer}"
        );
    }
}

#[test]
fn what_does_not_hold_ends_with_one_and_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    prepare(at);
    run(at, &["backup", "--data", "data", "--to", "backup"]).expect(0);
    let tile =
        fs::read_dir(at.join("backup/log/tile/entries/000.p")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&tile).unwrap();
    bytes[30] ^= 1;
    fs::write(&tile, bytes).unwrap();
    let back = run(at, &["restore", "--from", "backup", "--to", "back"]).expect(1);
    assert!(back.out.contains("tile/entries/000") && back.out.contains("not to be used"), "{back:?}");
    let found = run(at, &["verify", "folder", "--data", "back"]).expect(1);
    assert!(found.out.contains("tile/entries/000"), "{found:?}");
    let refused = run(at, &["user", "list", "--data", "back"]).expect(4);
    assert!(refused.err.contains("[data_folder_unproven]"), "{}", refused.err);
}

#[test]
fn a_house_moves_from_a_folder_to_a_database_and_is_served_and_backed_up_there() {
    let test = "a_house_moves_from_a_folder_to_a_database_and_is_served_and_backed_up_there";
    let Some(database) = postgres_server::running(test).map(postgres_server::Server::database) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let token = prepare(at);
    let server = Server::start(at, "data");
    let mrns = lodge(&mut Client::connect(&server.address, &token).unwrap(), 0..5);
    drop(server);
    let log = run(at, &["verify", "folder", "--data", "data", "--json"]).expect(0).json();
    run(at, &["backup", "--data", "data", "--to", "backup"]).expect(0);
    let shared = ["--database", &database, "--shared", "site"];
    let both = run(at, &[&["restore", "--from", "backup", "--to", "back"][..], &shared].concat()).expect(2);
    assert!(both.err.contains("cannot be used with"), "{both:?}");
    let half = run(at, &["restore", "--from", "backup", "--database", &database]).expect(2);
    assert!(half.err.contains("--shared"), "{half:?}");
    let back = run(at, &[&["restore", "--from", "backup"][..], &shared].concat()).expect(0);
    assert!(back.out.contains("everything holds"), "{back:?}");
    let site = [&["--data", "one"][..], &shared].concat();
    let server = Server::start_at(at, &site);
    let mut client = Client::connect(&server.address, &token).unwrap();
    assert_eq!(lodge(&mut client, 0..7)[..5], mrns, "each has its receipt already");
    let done = run(at, &[&["backup", "--to", "backup", "--json"][..], &site].concat()).expect(0).json();
    assert!(done["carried"]["events"].as_u64().unwrap() > 0, "{done}");
    let exported = run(at, &[&["export", "--to", "everything"][..], &site].concat()).expect(0);
    assert!(exported.out.contains("exported "), "{exported:?}");
    drop(server);
    run(at, &["restore", "--from", "backup", "--to", "again"]).expect(0);
    let verified = run(at, &["verify", "folder", "--data", "again", "--json"]).expect(0).json();
    assert_eq!((&verified["origin"], &verified["signed_by"]), (&log["origin"], &log["signed_by"]));
}
