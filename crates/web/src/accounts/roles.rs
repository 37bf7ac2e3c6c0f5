//! What each role may do: the table from which permissions are decided, as people read it.

use customhouse::identity::{Permission, Role};
use maud::{Markup, html};

use crate::view::table;
use crate::visit::Visit;
use crate::words::texts;

/// Permissions down, roles across.
pub(super) fn table_of_roles(visit: &Visit) -> Markup {
    let head = html! {
        th scope="col" { (visit.say(texts::ROLE_MAY)) }
        @for role in Role::ALL { th scope="col" { (visit.named("role", role.name())) } }
    };
    let body = html! {
        @for permission in Permission::ALL {
            tr {
                th scope="row" { (visit.named("permission", permission.name())) }
                @for role in Role::ALL {
                    td {
                        @if role.may(permission) { (visit.say(texts::YES)) } @else { span class="absent" { (visit.say(texts::NO)) } }
                    }
                }
            }
        }
        tr {
            th scope="row" { (visit.say(texts::ROLE_READS_UP_TO)) }
            @for role in Role::ALL { td { (visit.named("class", role.clearance().name())) } }
        }
    };
    html! {
        section class="roles" {
            h2 { (visit.say(texts::ROLES)) }
            (table(visit.say(texts::ROLES), &head, &body))
        }
    }
}
