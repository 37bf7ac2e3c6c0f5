//! Everything the audit says in words, in English and Chinese, in one place.
//!
//! Templates name parameters in braces. A test holds every template to the parameters its statements have.

use spine::{Language, LocalizedText};

use crate::document::{Parameter, Statement};

type Text = (&'static str, &'static str, &'static str);

#[rustfmt::skip]
const TEMPLATES: &[Text] = &[
    // What was looked at.
    ("simulated", "SIMULATED: {rows} of {all} rows say that they are made up. No figure of this report says anything about real trade.",
        "模拟数据：{all} 行中有 {rows} 行标明为虚构。本报告的任何数字都不代表真实贸易。"),
    ("overview", "{units} units of inspection from {from} to {to}: {known} inspected with a known outcome, {irregular} of them irregular ({rate}, 95 % interval {low} to {high}).",
        "{from} 至 {to} 共 {units} 个查验单位：其中 {known} 个已查验且结果已知，{irregular} 个查获（{rate}，95% 区间 {low} 至 {high}）。"),
    ("overview_without_outcomes", "{units} units of inspection from {from} to {to}, none with a known outcome.",
        "{from} 至 {to} 共 {units} 个查验单位，均无已知结果。"),
    ("unit_is_declaration", "Items of one declaration share their outcome, so a declaration counts as one inspection everywhere in this report.",
        "同一报关单各商品项的结果相同，因此本报告一律以报关单为一次查验。"),
    ("never_inspected", "{count} units ({share}) were never inspected. What they were is unknown; nothing in this report counts them as regular.",
        "{count} 个单位（{share}）从未查验，情况未知；本报告绝不将其视为正常。"),
    ("all_inspected", "Every unit was inspected. So nothing is known about how a selection would differ from all declarations.",
        "全部单位均已查验，因此无从得知选查与全部申报之间的差别。"),
    ("no_outcomes", "No inspection has a known outcome. Hit rates, leakage, officers and plans cannot be judged: give outcomes as a file or a column.",
        "没有任何已知查验结果，无法评估查获率、泄漏、关员与方案：请提供结果文件或结果列。"),
    ("no_split", "There is too little, or too short, a history to learn from the past and try on later months (at least 200 inspections with 20 finds before, 100 with 10 finds after). Curve, leakage and plans are left out.",
        "历史过少或过短，无法以过去学习、在其后月份检验（此前至少 200 次查验、20 次查获，此后至少 100 次、10 次查获）。曲线、泄漏与方案从略。"),
    ("no_field", "The field {field} is missing or empty: {consequence}",
        "字段“{field}”缺失或为空：{consequence}"),
    ("no_cancellations", "The records have no field for cancelled or re-routed inspections, so late cancellations cannot be judged.",
        "记录中没有取消或改派查验的字段，因此无法评估临时取消。"),
    ("no_tags", "No risk tags were applied.", "未应用任何风险标签。"),
    // Content.
    ("item_repeated", "{count} rows ({share}) repeat the number of an earlier declaration and item.", "{count} 行（{share}）的报关单号与商品项号与先前的行重复。"),
    ("declaration_number_repeated", "{count} rows ({share}) repeat an earlier declaration number; without item numbers it cannot be told whether they are further items or the same one twice.",
        "{count} 行（{share}）的报关单号与先前的行重复；没有商品项号，无法区分是另一商品项还是重复记录。"),
    ("content_repeated", "{count} rows ({share}) are equal to an earlier row in all {fields} fields that describe the declaration: same day, parties, goods, mass and value.",
        "{count} 行（{share}）在描述申报的全部 {fields} 个字段上与先前的行完全相同：日期、当事人、商品、重量、价格均同。"),
    ("net_above_gross", "{count} rows ({share}) have a net mass above their gross mass.", "{count} 行（{share}）净重大于毛重。"),
    ("mass_not_positive", "{count} rows ({share}) have a net mass of zero or less.", "{count} 行（{share}）净重为零或负数。"),
    ("value_not_positive", "{count} rows ({share}) have a customs value of zero or less.", "{count} 行（{share}）完税价格为零或负数。"),
    ("rate_out_of_range", "{count} rows ({share}) have a duty rate below 0 or above 3,000 percent.", "{count} 行（{share}）税率低于 0 或高于 3000%。"),
    ("found_without_inspection", "{count} rows ({share}) say that something was found and that nothing was inspected. They count as never inspected.",
        "{count} 行（{share}）既称查获又称未查验，按未查验计。"),
    ("revenue_without_find", "{count} rows ({share}) have recovered revenue, but no irregularity.", "{count} 行（{share}）有追补税款却无查获。"),
    ("revenue_without_inspection", "{count} rows ({share}) have recovered revenue, but were not inspected.", "{count} 行（{share}）有追补税款却未查验。"),
    ("outcome_missing", "{count} rows ({share}) were inspected without an outcome on record. No rate counts them.", "{count} 行（{share}）已查验但无结果记录，不计入任何比率。"),
    ("inspected_before_acceptance", "{count} rows ({share}) were inspected before the day on which they were accepted.", "{count} 行（{share}）查验早于接受申报之日。"),
    ("released_before_acceptance", "{count} rows ({share}) were released before the day on which they were accepted.", "{count} 行（{share}）放行早于接受申报之日。"),
    ("probability_out_of_range", "{count} rows ({share}) have a probability of selection below 0 or above 1.", "{count} 行（{share}）的抽中概率小于 0 或大于 1。"),
    ("importer_is_exporter", "{count} rows ({share}) name the same party as importer and exporter.", "{count} 行（{share}）进口商与出口商为同一方。"),
    ("commodity_code_malformed", "{count} rows ({share}) have a commodity code of fewer than six digits, or of a chapter that does not exist. Leading zeros may have been lost.",
        "{count} 行（{share}）商品编码不足六位或章不存在，前导零可能已丢失。"),
    ("number_as_placeholder", "{field} is {value} in {count} rows ({share}): more likely a placeholder than a measure.", "“{field}”在 {count} 行（{share}）中均为 {value}：更像占位值而非实测值。"),
    ("rows_break", "{month} has {rows} rows, {month_before} had {rows_before}: something was cut off or changed.", "{month} 有 {rows} 行，而 {month_before} 有 {rows_before} 行：可能有缺失或变更。"),
    ("filled_break", "{field} is filled in {filled} of the rows of {month}, but in {filled_before} of those of {month_before}.", "“{field}”在 {month} 的填写率为 {filled}，而 {month_before} 为 {filled_before}。"),
    ("field_constant", "{field} has one and the same value in all {count} rows that have it.", "“{field}”在全部 {count} 行中取值相同。"),
    // Hit rates.
    ("values_differ", "{dimension}: {flagged} of {tested} tested values find clearly more or less than the other inspections. Furthest from chance: {value} with {hits} finds in {inspected} inspections ({rate}; all: {base}).",
        "{dimension}：{tested} 个受检值中有 {flagged} 个的查获率明显高于或低于其他查验。最显著：{value}，{inspected} 次查验查获 {hits} 次（{rate}；总体 {base}）。"),
    ("rule_finds_little", "Rule {value} took {inspected} inspections for {hits} finds ({rate}), clearly less than the other inspections ({base}).",
        "规则 {value} 用去 {inspected} 次查验，仅查获 {hits} 次（{rate}），明显低于其他查验（{base}）。"),
    ("nothing_differs", "No rule, tag, office, commodity or party finds clearly more or less than the others: {tested} values were tested.",
        "没有任何规则、标签、关区、商品或当事人的查获率明显不同：共检验 {tested} 个值。"),
    // Curve.
    ("order_better", "Ordered by {order}, the first {share} of inspections of the months of trial hold {finds} of the finds (95 % interval {low} to {high}); by lot they would hold {share}.",
        "按“{order}”排序，检验期前 {share} 的查验含有 {finds} 的查获（95% 区间 {low} 至 {high}）；随机排序则为 {share}。"),
    ("no_order_better", "No order learnt from the past puts finds first better than chance in the months of trial.", "在检验期内，没有任何由过去学得的排序优于随机。"),
    // Leakage.
    ("leaks", "This file leaks its outcome. {repeating} of the rows repeat an earlier row's combination of {fields}, and {pure} of the repeated combinations carry one and the same outcome (by chance: {pure_by_chance}). A plain look-up of earlier outcomes reaches an AUC of {auc} on later months; on combinations that it never saw, {novel_auc}. Scores on this file measure memory of the file, not skill at finding irregularities: do not quote them.",
        "本文件泄漏结果。{repeating} 的行重复了先前行的组合（{fields}），而重复组合中 {pure} 的结果完全一致（随机应为 {pure_by_chance}）。仅查阅先前结果，在其后月份的 AUC 即达 {auc}；对从未出现的组合仅为 {novel_auc}。在本文件上的得分衡量的是对文件的记忆，而非发现违规的能力：请勿引用。"),
    ("leak_suspected", "Repeated combinations of {fields} tell the outcome better than they should: on later months a plain look-up reaches an AUC of {seen_auc} where it saw the combination before. Look at how these records were made before trusting any score.",
        "{fields} 的重复组合对结果的预示好得可疑：在其后月份，对曾出现的组合，简单查表的 AUC 达 {seen_auc}。在相信任何得分之前，请先核查记录的形成方式。"),
    ("leak_not_seen", "Repeats of earlier rows do not give the outcome away: the best look-up reaches an AUC of {auc} on later months.", "重复先前的行并不会泄漏结果：最好的查表在其后月份的 AUC 为 {auc}。"),
    ("leak_cannot_tell", "Too few finds repeat an earlier combination to say whether the outcome leaks.", "重复先前组合的查获过少，无法判断结果是否泄漏。"),
    // Officers and pairs.
    ("stands_out", "{comparison}: {flagged} of {tested} stand out. First: {first}, {observed} where chance in the same mix gives {expected}.",
        "{comparison}：{tested} 个中有 {flagged} 个突出。首位：{first}，观测 {observed}，同等构成下随机应为 {expected}。"),
    ("standing_out_is_not_guilt", "Standing out is not guilt. A specialised officer, an honest trader or a way of dealing out work gives the same figures; look at the cases before anyone is spoken to.",
        "突出不等于有过错。专业分工、守法企业或派单方式都会产生同样的数字；在与任何人谈话之前，请先查看具体案件。"),
    ("nobody_stands_out", "No officer and no pair stands out from others with the same mix of work: {tested} comparisons were made.", "没有任何关员或组合在同等工作构成下突出：共作 {tested} 次比较。"),
    // Plans.
    ("plan_better", "Plan “{plan}”, fixed before {from}, would have kept {kept} of {finds} known finds with {selected} inspections. Where its choices were inspected it finds {rate}, against {base} in all inspections ({lift} times as much).",
        "方案“{plan}”在 {from} 之前确定，以 {selected} 次查验可保留 {finds} 次已知查获中的 {kept} 次；其所选且已查验者查获率为 {rate}，全部查验为 {base}（{lift} 倍）。"),
    ("plan_unknown", "Plan “{plan}” selects {unknown} units that were never inspected ({share} of its choices). What they were is UNKNOWN: its true number of finds may be anywhere between {least} and {most}.",
        "方案“{plan}”所选单位中有 {unknown} 个（{share}）从未查验，情况未知：其真实查获数可能在 {least} 与 {most} 之间。"),
    ("plan_estimate", "From recorded probabilities of selection, plan “{plan}” is estimated to find {finds} if all it selects were inspected (95 % interval {low} to {high}; effective sample {effective}); as many by lot: {random}.",
        "按记录的抽中概率估计，若方案“{plan}”所选全部查验，可查获 {finds}（95% 区间 {low} 至 {high}；有效样本 {effective}）；同等数量随机查验为 {random}。"),
    ("plans_no_better", "No plan learnt from the past is clearly better than a choice by lot among the inspected.", "没有任何由过去学得的方案明显优于在已查验者中随机选择。"),
    ("estimate_no_probabilities", "Nothing can be estimated about what was never inspected: the inspections in plan “{plan}” lack recorded probabilities of selection. Record the probability of every selection, and inspect a share by lot.",
        "对从未查验者无法作任何估计：方案“{plan}”中的查验缺少抽中概率记录。请记录每次抽选的概率，并保留随机查验比例。"),
    ("estimate_overlap_insufficient", "No estimate for plan “{plan}”: parts of what it selects had hardly any chance of being inspected, so no weighting can stand for them.",
        "方案“{plan}”不作估计：其所选的一部分几乎不可能被查验，任何加权都无法代表。"),
    ("estimate_too_few_inspected", "No estimate for plan “{plan}”: too few of its choices were inspected.", "方案“{plan}”不作估计：其所选中已查验者过少。"),
    ("estimate_probabilities_inconsistent", "No estimate for plan “{plan}”: the recorded probabilities do not fit the number of inspections that were made.", "方案“{plan}”不作估计：记录的概率与实际查验数量不符。"),
    ("plans_rest_on_leak", "Because these records leak their outcome, curve and plans show how well the past can be memorised, not what a plan would find; and rates count repeats of one row as if each were a finding of its own.",
        "由于这些记录泄漏结果，曲线与方案只表明过去能被记住多少，而非方案能查获多少；各比率也把同一行的重复当作独立的查获。"),
    ("capacity_is_a_tenth", "Everything was inspected, so plans are compared at a capacity of a tenth.", "全部已查验，因此各方案按十分之一的查验量比较。"),
    // What a missing field means.
    ("consequence_selection_reason", "rules cannot be judged one by one.", "无法逐条评估规则。"),
    ("consequence_officer_id", "officers cannot be compared.", "无法比较关员。"),
    ("consequence_selection_probability", "nothing can be said about what was never inspected.", "对从未查验者无法作任何判断。"),
    ("consequence_recovered_revenue", "finds are counted, not weighed by money.", "查获只计次数，不计金额。"),
    ("consequence_office_id", "offices cannot be compared, and officers not within their office.", "无法比较关区，也无法在关区内比较关员。"),
    ("consequence_date", "there is no past to learn from and no later month to try on.", "没有可供学习的过去和可供检验的其后月份。"),
];

#[rustfmt::skip]
const DIMENSIONS: &[Text] = &[
    ("tag", "Risk tag", "风险标签"),
    ("hs_chapter", "HS chapter", "HS 章"),
    ("hs_heading", "HS heading", "HS 品目"),
    ("hs_subheading", "HS subheading", "HS 子目"),
    ("month", "Month", "月份"),
    ("tag_count", "Number of tags", "标签数量"),
];

#[rustfmt::skip]
const PLANS: &[Text] = &[
    ("actual", "What was done", "实际做法"),
    ("random", "By lot", "随机"),
    ("additive", "Tags and past rates, added up", "标签与历史查获率相加"),
    ("trees", "Boosted trees", "提升树"),
    ("explore", "A tenth by lot, the rest by the better model", "一成随机，其余按较优模型"),
];

#[rustfmt::skip]
const PLAN_DESCRIPTIONS: &[Text] = &[
    ("actual", "The inspections that were really made in the months of trial.", "检验期内实际进行的查验。"),
    ("random", "Every unit with the same chance; figures are expectations.", "每个单位机会均等；数字为期望值。"),
    ("additive", "Log-odds of every tag and of the past hit rate of commodity, countries, office, procedure and parties, added up with weights shrunk towards zero (ridge logistic regression).",
        "将每个标签以及商品、国别、关区、监管方式和当事人历史查获率的对数几率相加，权重向零收缩（岭逻辑回归）。"),
    ("trees", "Gradient-boosted trees over past hit rates, numbers and the strongest tags; a worse record can only raise the score.",
        "基于历史查获率、数值与最强标签的梯度提升树；记录更差只会提高得分。"),
    ("explore", "A tenth of the capacity is drawn by lot from everything, so that every part of trade stays known; the rest is chosen by whichever model did better before the months of trial.",
        "十分之一的查验量从全部申报中随机抽取，使各类贸易保持可知；其余由检验期之前表现较好的模型选择。"),
];

#[rustfmt::skip]
const ORDERS: &[Text] = &[
    ("rule", "past hit rate of the rule", "规则的历史查获率"),
    ("commodity", "past hit rate of the HS subheading", "HS 子目的历史查获率"),
    ("additive", "tags and past rates, added up", "标签与历史查获率相加"),
    ("trees", "boosted trees", "提升树"),
    ("value", "customs value", "完税价格"),
];

#[rustfmt::skip]
const COMPARISONS: &[Text] = &[
    ("officer_finds", "Finds of an officer against colleagues with the same mix of work", "关员查获数与同等工作构成的同事相比"),
    ("officer_released_before_inspection", "Goods released before the time of their inspection, by officer", "放行早于查验时间（按关员）"),
    ("officer_declarant_finds", "Finds of an officer with one declarant", "关员对某一申报单位的查获"),
    ("officer_importer_finds", "Finds of an officer with one importer", "关员对某一进口商的查获"),
    ("declarant_importer_finds", "Finds of a declarant with one importer", "申报单位与某一进口商的查获"),
    ("officer_declarant_routing", "Days on which one officer got a declarant's consignments", "某关员受理某申报单位货物的天数"),
];

fn find(texts: &[Text], id: &str) -> Option<LocalizedText> {
    texts.iter().find(|(own, _, _)| *own == id).map(|(_, en, zh)| LocalizedText::en_zh(en, zh))
}

fn or_id(text: Option<LocalizedText>, id: &str) -> LocalizedText {
    text.unwrap_or_else(|| LocalizedText::en_zh(id, id))
}

/// Template of a statement's code, with parameters in braces.
#[must_use]
pub fn template(code: &str) -> Option<LocalizedText> {
    find(TEMPLATES, code)
}

/// Codes of all templates.
pub fn codes() -> impl Iterator<Item = &'static str> {
    TEMPLATES.iter().map(|(code, _, _)| *code)
}

fn field(name: &str) -> Option<LocalizedText> {
    spine::declaration_entry::schema().field(name).map(|field| field.title.clone())
}

/// What people call a dimension: a field's title, or that of a derived one.
#[must_use]
pub fn dimension(id: &str) -> LocalizedText {
    or_id(find(DIMENSIONS, id).or_else(|| field(id)), id)
}

/// What people call a plan.
#[must_use]
pub fn plan(id: &str) -> LocalizedText {
    or_id(find(PLANS, id), id)
}

/// How a plan chooses.
#[must_use]
pub fn plan_description(id: &str) -> LocalizedText {
    or_id(find(PLAN_DESCRIPTIONS, id), id)
}

/// What people call an order of the curve.
#[must_use]
pub fn order(id: &str) -> LocalizedText {
    or_id(find(ORDERS, id), id)
}

/// What people call a comparison of officers or pairs.
#[must_use]
pub fn comparison(id: &str) -> LocalizedText {
    or_id(find(COMPARISONS, id), id)
}

/// Digits in groups of three.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && digits.len().saturating_sub(at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn percent(share: f64, language: Language) -> String {
    let percent = share * 100.0;
    let digits = if percent > 0.0 && percent < 1.0 { 2 } else { 1 };
    let space = if language == Language::Zh { "" } else { " " };
    format!("{percent:.digits$}{space}%")
}

fn shown(parameter: &Parameter, language: Language) -> String {
    let titled = |text: LocalizedText| text.in_language(language).to_owned();
    match parameter {
        Parameter::Count(count) => grouped(*count),
        Parameter::Share(share) => percent(*share, language),
        Parameter::Number(number) => {
            format!("{number:.3}").trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        Parameter::Text(text) => match template(text) {
            Some(text) => titled(text),
            None => text.clone(),
        },
        Parameter::Field(name) => titled(or_id(field(name), name)),
        Parameter::Fields(names) => {
            let names: Vec<String> = names.iter().map(|name| titled(or_id(field(name), name))).collect();
            names.join(if language == Language::Zh { "、" } else { ", " })
        }
        Parameter::Dimension(id) => titled(dimension(id)),
        Parameter::Plan(id) => titled(plan(id)),
        Parameter::Order(id) => titled(order(id)),
        Parameter::Comparison(id) => titled(comparison(id)),
    }
}

impl Statement {
    /// The sentence in the reader's language; English where a language has none.
    #[must_use]
    pub fn render(&self, language: Language) -> String {
        let Some(template) = template(&self.code) else { return self.code.clone() };
        // Read once from left to right, so that a value with braces in it is never read as a name.
        let mut text = String::new();
        let mut rest = template.in_language(language);
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let Some((name, after)) = after.split_once('}') else { break };
            match self.parameters.get(name) {
                Some(parameter) => text.push_str(&shown(parameter, language)),
                None => text.push('…'),
            }
            rest = after;
        }
        text.push_str(rest);
        text
    }
}
