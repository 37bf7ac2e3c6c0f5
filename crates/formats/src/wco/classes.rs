//! Classes and attributes that a declaration of the DMS profile can hold, with the identifiers that the WCO Data Model
//! gives them. A class has one identifier wherever it stands; an attribute's depends on its class.

/// A class.
pub(super) struct Class {
    /// Name of its element.
    pub(super) element: &'static str,
    /// Document section code, such as `68A`.
    pub(super) section: &'static str,
    /// May there be several at one place?
    pub(super) repeats: bool,
    /// Its attributes: name of the element, tag identifier such as `128`.
    pub(super) attributes: &'static [(&'static str, &'static str)],
}

type Attributes = &'static [(&'static str, &'static str)];

const fn one(element: &'static str, section: &'static str, attributes: Attributes) -> Class {
    Class { element, section, repeats: false, attributes }
}

const fn list(element: &'static str, section: &'static str, attributes: Attributes) -> Class {
    Class { element, section, repeats: true, attributes }
}

/// All classes, by name of element. Source: annotations of the public schema of the DMS profile (WCO Data Model 3.6).
/// The schema leaves out what kind of code a classification is (337); published answers name it.
pub(super) const CLASSES: &[Class] = &[
    list("AEOMutualRecognitionParty", "16C", &[("ID", "R143"), ("RoleCode", "R005")]),
    list(
        "AdditionalDocument",
        "02A",
        &[
            ("CategoryCode", "D031"),
            ("ID", "D005"),
            ("TypeCode", "D006"),
            ("EffectiveDateTime", "276"),
            ("Name", "D028"),
            ("LPCOExemptionCode", "360"),
        ],
    ),
    list(
        "AdditionalInformation",
        "03A",
        &[("StatementCode", "226"), ("StatementDescription", "225"), ("StatementTypeCode", "369")],
    ),
    one(
        "Address",
        "04A",
        &[
            ("CityName", "241"),
            ("CountryCode", "242"),
            ("CountrySubDivisionCode", "244"),
            ("CountrySubDivisionName", "243"),
            ("Line", "239"),
            ("PostcodeID", "245"),
            ("TypeCode", "410"),
        ],
    ),
    one("Agent", "05A", &[("Name", "R003"), ("ID", "R004"), ("FunctionCode", "102")]),
    list("Amendment", "06A", &[("ChangeReasonCode", "099")]),
    one(
        "ArrivalTransportMeans",
        "10A",
        &[
            ("Name", "T001"),
            ("ID", "T002"),
            ("IdentificationTypeCode", "T034"),
            ("TypeCode", "T008"),
            ("ModeCode", "T020"),
        ],
    ),
    one("Authentication", "61B", &[("Authentication", "104")]),
    one("Authenticator", "12A", &[("Name", "R007")]),
    list("AuthorisationHolder", "17C", &[("ID", "R144"), ("CategoryCode", "R145")]),
    one(
        "BorderTransportMeans",
        "15A",
        &[
            ("Name", "T005"),
            ("ID", "T006"),
            ("IdentificationTypeCode", "T018"),
            ("TypeCode", "T010"),
            ("RegistrationNationalityCode", "T014"),
            ("ModeCode", "T022"),
        ],
    ),
    one("Buyer", "16A", &[("Name", "R009"), ("ID", "R010")]),
    one("Carrier", "18A", &[("Name", "R011"), ("ID", "R012")]),
    list("ChargeDeduction", "58B", &[("ChargesTypeCode", "371"), ("OtherChargeDeductionAmount", "181")]),
    list("Classification", "21A", &[("ID", "145"), ("IdentificationTypeCode", "337")]),
    one("Commodity", "23A", &[("Description", "137")]),
    one("Communication", "25A", &[("ID", "240"), ("TypeCode", "253")]),
    one("Consignee", "27A", &[("Name", "R014"), ("ID", "R015")]),
    one("Consignment", "28A", &[("ContainerCode", "096")]),
    list("ConsignmentItem", "29A", &[("SequenceNumeric", "006")]),
    one("Consignor", "30A", &[("Name", "R020"), ("ID", "R021")]),
    one("Contact", "34A", &[("Name", "246")]),
    list("CurrencyExchange", "40A", &[("CurrencyTypeCode", "135"), ("RateNumeric", "118")]),
    one("CustomsValuation", "41A", &[("FreightChargeAmount", "117"), ("MethodCode", "122")]),
    list("DangerousGoods", "12C", &[("UNDGID", "506")]),
    one("Declarant", "57B", &[("Name", "R124"), ("ID", "R123")]),
    one(
        "Declaration",
        "42A",
        &[
            ("AcceptanceDateTime", "023"),
            ("FunctionCode", "017"),
            ("FunctionalReferenceID", "D026"),
            ("ID", "D014"),
            ("IssueDateTime", "D011"),
            ("IssueLocationID", "D012"),
            ("TypeCode", "D013"),
            ("GoodsItemQuantity", "228"),
            ("DeclarationOfficeID", "065"),
            ("InvoiceAmount", "109"),
            ("LoadingListQuantity", "013"),
            ("TotalGrossMassMeasure", "131"),
            ("TotalPackageQuantity", "146"),
            ("SpecificCircumstancesCodeCode", "504"),
        ],
    ),
    one(
        "DepartureTransportMeans",
        "46A",
        &[
            ("Name", "T003"),
            ("ID", "T004"),
            ("IdentificationTypeCode", "T029"),
            ("TypeCode", "T009"),
            ("ModeCode", "T021"),
        ],
    ),
    one("Destination", "99B", &[("CountryCode", "465"), ("RegionID", "477")]),
    list("DomesticDutyTaxParty", "55B", &[("ID", "R119"), ("RoleCode", "R005")]),
    list(
        "DutyTaxFee",
        "50A",
        &[
            ("AdValoremTaxBaseAmount", "116"),
            ("DeductAmount", "111"),
            ("DutyRegimeCode", "164"),
            ("SpecificTaxBaseQuantity", "129"),
            ("TaxRateNumeric", "115"),
            ("TypeCode", "113"),
            ("QuotaOrderID", "401"),
        ],
    ),
    one("ExitOffice", "56A", &[("ID", "G005")]),
    one("ExportCountry", "95B", &[("ID", "062")]),
    one("Exporter", "57A", &[("Name", "R031"), ("ID", "R032")]),
    one("Freight", "62A", &[("PaymentMethodCode", "098")]),
    one("GoodsLocation", "64A", &[("Name", "L016"), ("ID", "L017"), ("TypeCode", "L110")]),
    one(
        "GoodsMeasure",
        "65A",
        &[("GrossMassMeasure", "126"), ("NetNetWeightMeasure", "128"), ("TariffQuantity", "130")],
    ),
    one("GoodsShipment", "67A", &[("ExitDateTime", "024"), ("TransactionNatureCode", "103")]),
    list(
        "GovernmentAgencyGoodsItem",
        "68A",
        &[
            ("CustomsValueAmount", "108"),
            ("SequenceNumeric", "006"),
            ("StatisticalValueAmount", "114"),
            ("TransactionNatureCode", "103"),
        ],
    ),
    list("GovernmentProcedure", "70A", &[("CurrentCode", "166"), ("PreviousCode", "161")]),
    one("GuaranteeOffice", "14C", &[("ID", "G014")]),
    one("Importer", "74A", &[("Name", "R037"), ("ID", "R038")]),
    one("Invoice", "78A", &[("ID", "D016"), ("IssueDateTime", "D015")]),
    one("InvoiceLine", "79A", &[("ItemChargeAmount", "112")]),
    list("Itinerary", "81A", &[("SequenceNumeric", "006"), ("RoutingCountryCode", "064")]),
    one("LoadingLocation", "83A", &[("Name", "L009"), ("ID", "L010")]),
    list(
        "ObligationGuarantee",
        "90A",
        &[
            ("AmountAmount", "492"),
            ("ID", "D014"),
            ("ReferenceID", "100"),
            ("SecurityDetailsCode", "101"),
            ("AccessCode", "499"),
        ],
    ),
    list("Origin", "92A", &[("CountryCode", "063"), ("RegionID", "066"), ("TypeCode", "501")]),
    list(
        "Packaging",
        "93A",
        &[
            ("SequenceNumeric", "006"),
            ("MarksNumbersID", "142"),
            ("QuantityQuantity", "144"),
            ("TypeCode", "141"),
            ("PackingMaterialDescription", "344"),
            ("LengthMeasure", "367"),
            ("WidthMeasure", "368"),
            ("HeightMeasure", "402"),
            ("VolumeMeasure", "395"),
        ],
    ),
    one("Payer", "56B", &[("Name", "R120"), ("ID", "R121")]),
    one("Payment", "94A", &[("MethodCode", "107"), ("TaxAssessedAmount", "120"), ("PaymentAmount", "378")]),
    list("Pointer", "97A", &[("SequenceNumeric", "006"), ("DocumentSectionCode", "375"), ("TagID", "381")]),
    one("PresentationOffice", "15C", &[("ID", "G015")]),
    list(
        "PreviousDocument",
        "99A",
        &[("CategoryCode", "D031"), ("ID", "D018"), ("TypeCode", "D019"), ("LineNumeric", "171")],
    ),
    list("Seal", "44B", &[("SequenceNumeric", "006"), ("ID", "165")]),
    one("Seller", "09B", &[("Name", "R050"), ("ID", "R051")]),
    one("Submitter", "17B", &[("Name", "R058"), ("ID", "R059"), ("RoleCode", "R005")]),
    one("SupervisingOffice", "97B", &[("ID", "G012")]),
    one("Surety", "19B", &[("Name", "R054"), ("ID", "R055")]),
    one(
        "TradeTerms",
        "22B",
        &[
            ("ConditionCode", "090"),
            ("CountryRelationshipCode", "106"),
            ("Description", "089"),
            ("LocationID", "L002"),
            ("LocationName", "L001"),
        ],
    ),
    list("TransportEquipment", "31B", &[("SequenceNumeric", "006"), ("ID", "159")]),
    one("UCR", "35B", &[("ID", "016"), ("TraderAssignedReferenceID", "009")]),
    one("ValuationAdjustment", "39B", &[("AdditionCode", "188")]),
    one("Warehouse", "43B", &[("ID", "L019"), ("TypeCode", "L112")]),
    one("WriteOff", "22C", &[("QuantityQuantity", "502"), ("AmountAmount", "503")]),
];
