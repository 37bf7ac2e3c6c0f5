//! Reasons that decisions of policies give, in the languages of the platform. They say nothing that the trader may not
//! know.

use clearance::ControlResult;
use spine::LocalizedText;
use spine::noun::Lane;

use super::clerk::localized;

pub(super) fn rejected() -> LocalizedText {
    localized([
        "The declaration cannot be accepted as it stands. The findings say what to correct; lodge it again then.",
        "报关单按现状无法接受。请按所列问题更正后重新提交。",
        "La déclaration ne peut être acceptée en l'état. Les constats disent quoi corriger ; déposez-la ensuite à nouveau.",
        "La declaración no puede aceptarse tal como está. Las observaciones dicen qué corregir; preséntela de nuevo después.",
    ])
}

pub(super) fn registered() -> LocalizedText {
    localized([
        "The declaration was lodged before its goods came, and is registered. Present the goods in time; it is accepted then.",
        "报关单在货物到达前提交，现已登记。请按时提交货物，届时予以接受。",
        "La déclaration a été déposée avant l'arrivée des marchandises ; elle est enregistrée. Présentez les marchandises à temps, elle sera alors acceptée.",
        "La declaración se presentó antes de que llegara la mercancía y queda registrada. Presente la mercancía a tiempo y se aceptará.",
    ])
}

pub(super) fn amended() -> LocalizedText {
    localized([
        "The goods have not come yet: the declaration is amended as its trader asked.",
        "货物尚未到达，按申报人申请修改报关单。",
        "Les marchandises ne sont pas encore arrivées : la déclaration est modifiée comme son déclarant le demande.",
        "La mercancía no ha llegado aún: la declaración se modifica como pide su declarante.",
    ])
}

pub(super) fn no_plan() -> LocalizedText {
    localized([
        "No selection can be made at present; an officer looks at the declaration.",
        "目前无法进行布控选择，由关员处理该报关单。",
        "Aucune sélection n'est possible à présent ; un agent examine la déclaration.",
        "Por ahora no es posible una selección; un funcionario revisa la declaración.",
    ])
}

pub(super) fn no_release_policy() -> LocalizedText {
    localized([
        "No policy of release is in force; an officer decides on the release.",
        "目前没有生效的放行政策，由关员决定放行。",
        "Aucune politique de mainlevée n'est en vigueur ; un agent décide de la mainlevée.",
        "No hay política de levante en vigor; un funcionario decide sobre el levante.",
    ])
}

pub(super) fn lane(lane: Lane) -> LocalizedText {
    match lane {
        Lane::Yellow => localized([
            "The documents of this declaration are examined before release.",
            "放行前审核该报关单的单证。",
            "Les documents de cette déclaration sont examinés avant la mainlevée.",
            "Los documentos de esta declaración se examinan antes del levante.",
        ]),
        Lane::Red => localized([
            "The goods of this declaration are examined before release.",
            "放行前查验该报关单的货物。",
            "Les marchandises de cette déclaration sont examinées avant la mainlevée.",
            "Las mercancías de esta declaración se examinan antes del levante.",
        ]),
        Lane::Hold => localized([
            "An officer looks at this declaration before it goes on.",
            "该报关单须经关员处理后方可继续。",
            "Un agent examine cette déclaration avant la suite.",
            "Un funcionario revisa esta declaración antes de continuar.",
        ]),
        Lane::Green | Lane::Blue => localized([
            "Nothing stands against the release of the goods.",
            "没有妨碍货物放行的情况。",
            "Rien ne s'oppose à la mainlevée des marchandises.",
            "Nada se opone al levante de las mercancías.",
        ]),
    }
}

pub(super) fn how_to_contest() -> LocalizedText {
    localized([
        "Contest this decision on the page of the declaration, or in writing to the office named there.",
        "可在该报关单页面对本决定提出异议，或书面向页面所列海关提出。",
        "Contestez cette décision sur la page de la déclaration, ou par écrit auprès du bureau indiqué.",
        "Impugne esta decisión en la página de la declaración, o por escrito ante la oficina indicada.",
    ])
}

/// A result in a sentence, as the reason of the decision that it is.
pub(super) fn of_result(result: &ControlResult) -> String {
    let note = result.note.trim();
    let code = result.code.code();
    if note.is_empty() {
        format!("Result of the control: {code}")
    } else {
        format!("Result of the control: {code}. {note}")
    }
}
