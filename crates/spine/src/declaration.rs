//! A declaration as it was lodged: the classes of the WCO Data Model, release 3, as far as selection, examination
//! and duty need them.
//!
//! Classes stand where the public DMS profile of the Data Model has them, under the same names in snake_case
//! (`GoodsShipment/GovernmentAgencyGoodsItem/Commodity` is `goods_shipment.government_agency_goods_item[n].commodity`).
//! A class of one attribute is that attribute (`ExportCountry/ID` is `export_country`).
//!
//! - Absent is `None` or an empty list, and means *not declared*, never zero. An empty class is an absent class.
//! - Codes and identifiers are text in their canonical spelling. They are checked where bytes are read, not here: a
//!   declaration of ten years ago stays readable when a country leaves the list of countries.
//! - Amounts are exact and carry their currency, masses are kilograms, dates are days of the declarant's calendar.
//! - Members that a reader does not know are ignored, members that are missing are absent.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::quantity::Money;

mod facts;
mod rows;

pub use rows::{EntryContext, EntryFields};

/// Statement codes of [`AdditionalInformation`] that the platform itself reads: facts of [`crate::declaration_entry`]
/// for which the WCO Data Model has no class of its own. The description holds the value.
pub mod statement {
    /// How the declaration is cleared: `standard`, `simplified`. On the declaration.
    pub const PROCESS_TYPE: &str = "PROCESS_TYPE";
    /// What the goods are imported for: `resale`, `own use`. On the declaration.
    pub const IMPORT_USE: &str = "IMPORT_USE";
    /// How the goods show their origin: `marked`, `none`. On a goods item.
    pub const ORIGIN_MARKING: &str = "ORIGIN_MARKING";
}

/// Is a member absent, so that it is not written?
fn absent<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

macro_rules! class {
    ($(#[$documentation:meta])* $name:ident { $($(#[$member_documentation:meta])* $member:ident: $type:ty,)* }) => {
        $(#[$documentation])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct $name {
            $($(#[$member_documentation])* #[serde(skip_serializing_if = "absent")] pub $member: $type,)*
        }
    };
}

class! {
    /// Declaration (WCO class 42A).
    Declaration {
        /// Local reference number: the declarant's own name for this declaration (LRN).
        functional_reference_id: Option<String>,
        /// What is declared: `IM`, `EX` or `CO`, and a letter: A standard, B or C simplified, D to F the same before
        /// arrival, J or K clearance request, X to Z and Q supplementary.
        type_code: Option<String>,
        /// Goods items, as the declarant counts them.
        goods_item_quantity: Option<u32>,
        /// Office at which the declaration is lodged.
        declaration_office_id: Option<String>,
        /// Total of the invoices.
        invoice_amount: Option<Money>,
        /// Gross mass of all items, kg.
        total_gross_mass_measure: Option<Decimal>,
        /// Packages of all items.
        total_package_quantity: Option<Decimal>,
        /// Documents and accounts for the declaration as a whole.
        additional_document: Vec<AdditionalDocument>,
        /// Statements on the declaration as a whole.
        additional_information: Vec<AdditionalInformation>,
        /// Who acts for the declarant.
        agent: Party,
        /// Who holds which authorisation.
        authorisation_holder: Vec<AuthorisationHolder>,
        /// What crosses the border.
        border_transport_means: TransportMeans,
        /// Carriage of the whole declaration.
        consignment: DeclarationConsignment,
        /// Who declares.
        declarant: Party,
        /// Office at which the goods leave.
        exit_office: Option<String>,
        /// Who sends the goods.
        exporter: Party,
        /// What is declared.
        goods_shipment: GoodsShipment,
        /// Office at which the goods are presented.
        presentation_office: Option<String>,
        /// Office that supervises the procedure.
        supervising_office: Option<String>,
    }
}

class! {
    /// Carriage of the whole declaration (WCO: Consignment below Declaration).
    DeclarationConsignment {
        /// Who carries the goods.
        carrier: Party,
    }
}

class! {
    /// A party in one of its roles (WCO: Declarant, Importer, Exporter, Carrier ...).
    Party {
        /// Name.
        name: Option<String>,
        /// Identification, such as an EORI number.
        id: Option<String>,
        /// Of an agent: 2 direct, 3 indirect representation.
        function_code: Option<String>,
        /// Address.
        address: Address,
    }
}

class! {
    /// Address (WCO class 04A).
    Address {
        /// Town.
        city_name: Option<String>,
        /// Country (ISO 3166-1 alpha-2).
        country_code: Option<String>,
        /// Street and number.
        line: Option<String>,
        /// Postcode.
        postcode_id: Option<String>,
    }
}

class! {
    /// Who holds which authorisation (WCO class 17C).
    AuthorisationHolder {
        /// Identification of the holder.
        id: Option<String>,
        /// Kind of authorisation, such as `AEOC`.
        category_code: Option<String>,
    }
}

class! {
    /// Means of transport (WCO: BorderTransportMeans, ArrivalTransportMeans).
    TransportMeans {
        /// Identification: ship, flight, vehicle, train.
        id: Option<String>,
        /// What kind of identification that is.
        identification_type_code: Option<String>,
        /// Nationality (ISO 3166-1 alpha-2).
        registration_nationality_code: Option<String>,
        /// Mode of transport (UN/ECE Recommendation 19): 1 sea, 2 rail, 3 road, 4 air, 5 post.
        mode_code: Option<String>,
    }
}

class! {
    /// Goods declared together (WCO class 67A).
    GoodsShipment {
        /// Nature of the transaction.
        transaction_nature_code: Option<String>,
        /// Who buys.
        buyer: Party,
        /// To whom the goods go.
        consignee: Party,
        /// Carriage and place of the goods.
        consignment: Consignment,
        /// From whom the goods come.
        consignor: Party,
        /// What belongs to the customs value.
        customs_valuation: CustomsValuation,
        /// Country of destination (ISO 3166-1 alpha-2).
        destination: Option<String>,
        /// Country of dispatch or export (ISO 3166-1 alpha-2).
        export_country: Option<String>,
        /// Goods items; at most [`Declaration::ITEMS_MAX`].
        government_agency_goods_item: Vec<GovernmentAgencyGoodsItem>,
        /// Who brings the goods in.
        importer: Party,
        /// The invoice.
        invoice: Invoice,
        /// Documents that went before.
        previous_document: Vec<PreviousDocument>,
        /// Who sells.
        seller: Party,
        /// Delivery terms.
        trade_terms: TradeTerms,
    }
}

class! {
    /// Carriage and place of the goods (WCO class 28A, below GoodsShipment).
    Consignment {
        /// 1 in containers, 0 not.
        container_code: Option<String>,
        /// What the goods arrive on.
        arrival_transport_means: TransportMeans,
        /// Where the goods can be looked at.
        goods_location: GoodsLocation,
        /// Containers.
        transport_equipment: Vec<TransportEquipment>,
    }
}

class! {
    /// Where the goods can be looked at (WCO class 64A).
    GoodsLocation {
        /// The place's code or name.
        name: Option<String>,
        /// Kind of place.
        type_code: Option<String>,
        /// Country (ISO 3166-1 alpha-2).
        country_code: Option<String>,
    }
}

class! {
    /// A container (WCO class 31B).
    TransportEquipment {
        /// Number (ISO 6346).
        id: Option<String>,
        /// Numbers of its seals.
        seal: Vec<Seal>,
    }
}

class! {
    /// A seal (WCO class 44A).
    Seal {
        /// Number.
        id: Option<String>,
    }
}

class! {
    /// What belongs to the customs value (WCO class 41A).
    CustomsValuation {
        /// Method of valuation, 1 to 6 (WTO Valuation Agreement, articles 1 to 7).
        method_code: Option<String>,
        /// Freight to the border.
        freight_charge_amount: Option<Money>,
    }
}

class! {
    /// The invoice (WCO class 78A).
    Invoice {
        /// Number.
        id: Option<String>,
        /// Date.
        issue_date: Option<Date>,
    }
}

class! {
    /// A document that went before: entry summary, manifest, transit (WCO class 93A).
    PreviousDocument {
        /// X summary, Y initial, Z previous.
        category_code: Option<String>,
        /// Number.
        id: Option<String>,
        /// Kind of document.
        type_code: Option<String>,
        /// Item within it.
        line_numeric: Option<u32>,
    }
}

class! {
    /// Delivery terms (WCO class 24B).
    TradeTerms {
        /// Incoterm.
        condition_code: Option<String>,
        /// Place, as a code.
        location_id: Option<String>,
        /// Place, as a name.
        location_name: Option<String>,
    }
}

class! {
    /// One goods item (WCO class 68A).
    GovernmentAgencyGoodsItem {
        /// Customs value.
        customs_value_amount: Option<Money>,
        /// Number of the item within the declaration, from 1.
        sequence_numeric: Option<u32>,
        /// Statistical value.
        statistical_value_amount: Option<Money>,
        /// Nature of the transaction.
        transaction_nature_code: Option<String>,
        /// Documents, certificates and licences.
        additional_document: Vec<AdditionalDocument>,
        /// Statements.
        additional_information: Vec<AdditionalInformation>,
        /// The goods.
        commodity: Commodity,
        /// How the value was found.
        customs_valuation: CustomsValuation,
        /// Country of dispatch or export of this item (ISO 3166-1 alpha-2).
        export_country: Option<String>,
        /// Procedures, the customs procedure first.
        government_procedure: Vec<GovernmentProcedure>,
        /// Origins.
        origin: Vec<Origin>,
        /// Packages.
        packaging: Vec<Packaging>,
        /// Documents that went before.
        previous_document: Vec<PreviousDocument>,
    }
}

class! {
    /// A document that goes with the declaration (WCO class 02A).
    AdditionalDocument {
        /// Category of the kind of document.
        category_code: Option<String>,
        /// Date.
        effective_date: Option<Date>,
        /// Number.
        id: Option<String>,
        /// Name, or the reason why it is not there.
        name: Option<String>,
        /// Kind of document.
        type_code: Option<String>,
        /// State of a licence or certificate, or why it is not needed.
        lpco_exemption_code: Option<String>,
    }
}

class! {
    /// A statement (WCO class 03A).
    AdditionalInformation {
        /// What it is about.
        statement_code: Option<String>,
        /// What it says.
        statement_description: Option<String>,
        /// Kind of statement.
        statement_type_code: Option<String>,
    }
}

class! {
    /// The goods of an item (WCO class 23A).
    Commodity {
        /// The declarant's words.
        description: Option<String>,
        /// Commodity codes.
        classification: Vec<Classification>,
        /// Duties and taxes.
        duty_tax_fee: Vec<DutyTaxFee>,
        /// Masses and quantity.
        goods_measure: GoodsMeasure,
        /// Price on the invoice.
        invoice_line: InvoiceLine,
        /// Containers that this item is in.
        transport_equipment: Vec<TransportEquipment>,
    }
}

class! {
    /// A code of the goods in one nomenclature (WCO class 21A).
    Classification {
        /// The code.
        id: Option<String>,
        /// The nomenclature: absent or `HS` Harmonized System and its national digits, `TSP` the first eight digits,
        /// `TRC` the two after them; others are national.
        identification_type_code: Option<String>,
    }
}

class! {
    /// A duty or tax (WCO class 65B).
    DutyTaxFee {
        /// Preference.
        duty_regime_code: Option<String>,
        /// Rate, percent.
        tax_rate_numeric: Option<Decimal>,
        /// Kind of duty or tax.
        type_code: Option<String>,
        /// Quota.
        quota_order_id: Option<String>,
        /// Payment.
        payment: Payment,
    }
}

class! {
    /// Payment of a duty or tax (WCO class 98A).
    Payment {
        /// Method.
        method_code: Option<String>,
        /// Amount assessed by the declarant.
        tax_assessed_amount: Option<Money>,
        /// Amount to pay.
        payment_amount: Option<Money>,
    }
}

class! {
    /// Masses and quantity (WCO class 65A).
    GoodsMeasure {
        /// Gross mass, kg.
        gross_mass_measure: Option<Decimal>,
        /// Net mass, kg.
        net_net_weight_measure: Option<Decimal>,
        /// Supplementary quantity, in the unit of the commodity code.
        tariff_quantity: Option<Decimal>,
    }
}

class! {
    /// Line of the invoice (WCO class 79A).
    InvoiceLine {
        /// Price of the item.
        item_charge_amount: Option<Money>,
    }
}

class! {
    /// A customs procedure (WCO class 70A).
    GovernmentProcedure {
        /// Procedure asked for, or a further procedure of three characters.
        current_code: Option<String>,
        /// Procedure before.
        previous_code: Option<String>,
    }
}

class! {
    /// Origin (WCO class 63A).
    Origin {
        /// Country (ISO 3166-1 alpha-2).
        country_code: Option<String>,
        /// 1 non-preferential, 2 preferential.
        type_code: Option<String>,
    }
}

class! {
    /// Packages of one kind (WCO class 93B).
    Packaging {
        /// Marks and numbers.
        marks_numbers_id: Option<String>,
        /// Packages.
        quantity_quantity: Option<Decimal>,
        /// Kind of package (UN/ECE Recommendation 21).
        type_code: Option<String>,
    }
}

/// What a party does in a declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyRole {
    /// Declares.
    Declarant,
    /// Acts for the declarant.
    Agent,
    /// Brings the goods in.
    Importer,
    /// Sends the goods out.
    Exporter,
    /// Carries the goods.
    Carrier,
    /// Buys.
    Buyer,
    /// Sells.
    Seller,
    /// Receives the goods.
    Consignee,
    /// Hands the goods over for carriage.
    Consignor,
}

impl Declaration {
    /// Goods items of one declaration (WCO DMS profile: 999).
    pub const ITEMS_MAX: usize = 999;
    /// Documents, statements, packages, duties or procedures in one list.
    pub const LIST_MAX: usize = 99;
    /// Containers in one list.
    pub const EQUIPMENT_MAX: usize = 999;
    /// Characters of a description or a name.
    pub const TEXT_CHARACTERS_MAX: usize = 512;
    /// Characters of an identifier.
    pub const IDENTIFIER_CHARACTERS_MAX: usize = 70;
    /// Characters of a code.
    pub const CODE_CHARACTERS_MAX: usize = 17;
}

#[cfg(test)]
mod tests;
