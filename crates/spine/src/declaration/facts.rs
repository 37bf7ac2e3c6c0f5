//! What a declaration says when it is asked: parties, values, codes, however they were written down.

use rust_decimal::Decimal;

use super::{
    AdditionalInformation, Commodity, Declaration, GovernmentAgencyGoodsItem, Party, PartyRole, absent,
};
use crate::quantity::{CurrencyCode, Money};

impl Declaration {
    /// The goods items.
    #[must_use]
    pub fn items(&self) -> &[GovernmentAgencyGoodsItem] {
        &self.goods_shipment.government_agency_goods_item
    }

    /// The office that is to deal with it: of declaration, of presentation, or the place of the goods, or the office
    /// of exit, or of supervision: the first that is declared.
    #[must_use]
    pub fn office_id(&self) -> Option<&str> {
        [
            &self.declaration_office_id,
            &self.presentation_office,
            &self.goods_shipment.consignment.goods_location.name,
            &self.exit_office,
            &self.supervising_office,
        ]
        .into_iter()
        .find_map(|office| office.as_deref())
    }

    /// Was it lodged before its goods came? So says the last letter of its kind: D, E, F and K (data element 1/2 of
    /// Annex B to Regulation (EU) 2015/2446; K is a clearance request, in the United Kingdom).
    #[must_use]
    pub fn is_prelodged(&self) -> bool {
        let kind = self.type_code.as_deref().unwrap_or_default();
        kind.chars().count() == 3 && matches!(kind.chars().last(), Some('D' | 'E' | 'F' | 'K'))
    }

    /// Do its goods leave the territory? So says its kind (`EX`, data element 1/1), or for trade within the union (`CO`)
    /// the procedure: 10, 11, 21, 22, 23 and 31 lead out.
    #[must_use]
    pub fn is_export(&self) -> bool {
        let kind = self.type_code.as_deref().unwrap_or_default();
        let leads_out = |procedure: String| {
            ["10", "11", "21", "22", "23", "31"].iter().any(|code| procedure.starts_with(code))
        };
        kind.starts_with("EX")
            || (kind.starts_with("CO")
                && self.items().iter().any(|item| item.procedure_code().is_some_and(leads_out)))
    }

    /// References of its consignment: its own (document kind DCR) and that of the master it travels under (MCR).
    pub fn consignment_references(&self) -> impl Iterator<Item = &str> {
        let shipment = &self.goods_shipment;
        let of_items = self.items().iter().flat_map(|item| &item.previous_document);
        let references = shipment.previous_document.iter().chain(of_items);
        references
            .filter(|own| matches!(own.type_code.as_deref(), Some("DCR" | "MCR")))
            .filter_map(|own| own.id.as_deref())
    }

    /// Every party with its role, identified or not, in the order of [`PartyRole`]; absent parties are left out.
    pub fn parties_in_full(&self) -> impl Iterator<Item = (PartyRole, &Party)> {
        let shipment = &self.goods_shipment;
        [
            (PartyRole::Declarant, &self.declarant),
            (PartyRole::Agent, &self.agent),
            (PartyRole::Importer, &shipment.importer),
            (PartyRole::Exporter, &self.exporter),
            (PartyRole::Carrier, &self.consignment.carrier),
            (PartyRole::Buyer, &shipment.buyer),
            (PartyRole::Seller, &shipment.seller),
            (PartyRole::Consignee, &shipment.consignee),
            (PartyRole::Consignor, &shipment.consignor),
        ]
        .into_iter()
        .filter(|(_, party)| !absent(*party))
    }

    /// Role and identification of every party that is identified.
    pub fn parties(&self) -> impl Iterator<Item = (PartyRole, &str)> {
        self.parties_in_full().filter_map(|(role, party)| Some((role, party.id.as_deref()?)))
    }

    /// Sum of the items' values, one amount a currency, in the order in which currencies come up.
    #[must_use]
    pub fn total_value(&self) -> Vec<Money> {
        let mut totals: Vec<Money> = Vec::new();
        for value in self.items().iter().filter_map(GovernmentAgencyGoodsItem::value) {
            match totals.iter_mut().find(|total| total.currency == value.currency) {
                Some(total) => total.amount = total.amount.saturating_add(value.amount),
                None => totals.push(value),
            }
        }
        totals
    }

    /// The items' commodity codes, one an item that has one.
    pub fn commodity_codes(&self) -> impl Iterator<Item = String> {
        self.items().iter().filter_map(|item| item.commodity.code())
    }

    /// What is stated under a code of [`statement`] on the declaration as a whole.
    #[must_use]
    pub fn statement(&self, code: &str) -> Option<&str> {
        stated(&self.additional_information, code)
    }
}

impl GovernmentAgencyGoodsItem {
    /// The item's value: customs value, or price on the invoice, or statistical value: the first that is declared.
    #[must_use]
    pub fn value(&self) -> Option<Money> {
        self.customs_value_amount
            .or(self.commodity.invoice_line.item_charge_amount)
            .or(self.statistical_value_amount)
    }

    /// The currency of its value.
    #[must_use]
    pub fn currency(&self) -> Option<CurrencyCode> {
        self.value().map(|value| value.currency)
    }

    /// The customs procedure: asked for and before, put together (`4000`). Further procedures of three characters
    /// count only where there is no other.
    #[must_use]
    pub fn procedure_code(&self) -> Option<String> {
        let with_previous =
            self.government_procedure.iter().find(|procedure| procedure.previous_code.is_some());
        let procedure = with_previous.or_else(|| self.government_procedure.first())?;
        match (&procedure.current_code, &procedure.previous_code) {
            (Some(current), Some(previous)) => Some(format!("{current}{previous}")),
            (current, previous) => current.clone().or_else(|| previous.clone()),
        }
    }

    /// Packages of all kinds; absent where no kind has a number.
    #[must_use]
    pub fn packages(&self) -> Option<Decimal> {
        self.packaging
            .iter()
            .filter_map(|packaging| packaging.quantity_quantity)
            .reduce(Decimal::saturating_add)
    }

    /// What is stated under a code of [`statement`] on this item.
    #[must_use]
    pub fn statement(&self, code: &str) -> Option<&str> {
        stated(&self.additional_information, code)
    }
}

impl Commodity {
    /// The commodity code: Harmonized System with its further digits, `TSP` and `TRC` put together.
    #[must_use]
    pub fn code(&self) -> Option<String> {
        let of = |wanted: &str| {
            let mut all = self.classification.iter();
            all.find(|code| code.identification_type_code.as_deref() == Some(wanted))?.id.as_deref()
        };
        let plain = self.classification.iter().find(|code| code.identification_type_code.is_none());
        match (of("HS").or_else(|| plain?.id.as_deref()), of("TSP"), of("TRC")) {
            (Some(whole), ..) => Some(whole.to_owned()),
            (None, Some(first), Some(further)) => Some(format!("{first}{further}")),
            (None, first, _) => first.map(str::to_owned),
        }
    }
}

fn stated<'a>(statements: &'a [AdditionalInformation], code: &str) -> Option<&'a str> {
    statements
        .iter()
        .find(|statement| statement.statement_code.as_deref() == Some(code))?
        .statement_description
        .as_deref()
}
