"""A trader's software as an outside party writes it: Python's standard library, the documents under docs/, nothing else.

Usage: declarant.py ADDRESS CLIENT_ID CLIENT_SECRET OFFICER_TOKEN CHIEF_TOKEN

Ten declarations live through it. For each it prints a line `NAME CODES`, with the codes of the notifications as it
received them: fetched, each one's XML read, and pushed to its webhook with a signature that it verifies.
"""

import base64
import hashlib
import hmac
import http.server
import json
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ET

ADDRESS, CLIENT, SECRET, OFFICER, CHIEF = sys.argv[1:6]
PARTY = "NL0001"
RESPONSE = "{urn:wco:datamodel:WCO:RES-DMS:2}"
WAIT_SECONDS = 60


def call(method, path, body=None, token=None, kind="application/xml", basic=None):
    request = urllib.request.Request(f"http://{ADDRESS}{path}", data=body, method=method)
    if body is not None:
        request.add_header("Content-Type", kind)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    if basic:
        request.add_header("Authorization", "Basic " + base64.b64encode(":".join(basic).encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def asked(method, path, content=None, token=None):
    body = None if content is None else json.dumps(content).encode()
    status, answer = call(method, path, body, token, "application/json")
    assert status < 300, (method, path, status, answer)
    return json.loads(answer) if answer else None


def token_of(scope):
    form = urllib.parse.urlencode({"grant_type": "client_credentials", "scope": scope}).encode()
    status, answer = call("POST", "/oauth2/token", form, kind="application/x-www-form-urlencoded", basic=(CLIENT, SECRET))
    assert status == 200, (status, answer)
    return json.loads(answer)["access_token"]


class Receiver(http.server.BaseHTTPRequestHandler):
    """Where notifications are pushed to. The first is refused, to see that it comes again under the same id."""

    taken, tries, secret = [], [], None

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        own = self.headers["webhook-id"]
        signed = f"{own}.{self.headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(Receiver.secret.removeprefix("whsec_"))
        mine = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert mine in self.headers["webhook-signature"].split(), "the signature is not that of the secret"
        Receiver.tries.append(own)
        refused = len(Receiver.tries) == 1
        if not refused:
            Receiver.taken.append((own, body))
        self.send_response(500 if refused else 204)
        self.end_headers()

    def log_message(self, *_):
        pass


def declaration(reference, kind="IMA", rate="10", ucr=None):
    before = f"""<PreviousDocument><CategoryCode>Z</CategoryCode><ID>{ucr}</ID><TypeCode>DCR</TypeCode></PreviousDocument>""" if ucr else ""
    procedure = "10" if kind.startswith("EX") else "40"
    leaves = kind.startswith("EX")
    exporter = f"<Exporter><ID>{PARTY}</ID></Exporter>" if leaves else "<Exporter><ID>CN0001</ID></Exporter>"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<md:MetaData xmlns:md="urn:wco:datamodel:WCO:DocumentMetaData-DMS:2" xmlns="urn:wco:datamodel:WCO:DEC-DMS:2">
  <md:WCODataModelVersionCode>3.6</md:WCODataModelVersionCode><md:WCOTypeName>DEC</md:WCOTypeName>
  <Declaration>
    <FunctionCode>9</FunctionCode><FunctionalReferenceID>{reference}</FunctionalReferenceID><TypeCode>{kind}</TypeCode>
    <GoodsItemQuantity>1</GoodsItemQuantity><DeclarationOfficeID>NL000510</DeclarationOfficeID>
    <TotalPackageQuantity>10</TotalPackageQuantity>
    <BorderTransportMeans><ModeCode>1</ModeCode></BorderTransportMeans>
    <Declarant><ID>{PARTY}</ID></Declarant>{exporter}
    <GoodsShipment>
      <ExportCountry><ID>{"NL" if leaves else "CN"}</ID></ExportCountry>
      <GovernmentAgencyGoodsItem>
        <SequenceNumeric>1</SequenceNumeric><CustomsValueAmount currencyID="EUR">1200.50</CustomsValueAmount>
        <Commodity><Description>garden chairs</Description>
          <Classification><ID>940171</ID><IdentificationTypeCode>TSP</IdentificationTypeCode></Classification>
          <DutyTaxFee><DutyRegimeCode>100</DutyRegimeCode><TaxRateNumeric>{rate}</TaxRateNumeric><TypeCode>A00</TypeCode></DutyTaxFee>
          <GoodsMeasure><GrossMassMeasure>125.0</GrossMassMeasure><NetNetWeightMeasure>100.0</NetNetWeightMeasure></GoodsMeasure>
        </Commodity>
        <GovernmentProcedure><CurrentCode>{procedure}</CurrentCode><PreviousCode>00</PreviousCode></GovernmentProcedure>
        <Origin><CountryCode>{"NL" if leaves else "CN"}</CountryCode></Origin>
        <Packaging><SequenceNumeric>1</SequenceNumeric><QuantityQuantity>10</QuantityQuantity><TypeCode>CT</TypeCode></Packaging>
      </GovernmentAgencyGoodsItem>
      <Importer><ID>{PARTY}</ID></Importer>{before}
    </GoodsShipment>
  </Declaration>
</md:MetaData>"""


def request(kind, reference, mrn, inner=""):
    return f"""<md:MetaData xmlns:md="urn:wco:datamodel:WCO:DocumentMetaData-DMS:2" xmlns="urn:wco:datamodel:WCO:DEC-DMS:2">
  <md:WCODataModelVersionCode>3.6</md:WCODataModelVersionCode><md:WCOTypeName>DEC</md:WCOTypeName>
  <Declaration><FunctionCode>13</FunctionCode><FunctionalReferenceID>{reference}</FunctionalReferenceID><ID>{mrn}</ID><TypeCode>{kind}</TypeCode>
    <Submitter><ID>{PARTY}</ID></Submitter>
    <AdditionalInformation><StatementDescription>As the new weighing note says</StatementDescription><StatementTypeCode>AES</StatementTypeCode>
      <Pointer><SequenceNumeric>1</SequenceNumeric><DocumentSectionCode>42A</DocumentSectionCode></Pointer>
      <Pointer><SequenceNumeric>1</SequenceNumeric><DocumentSectionCode>06A</DocumentSectionCode></Pointer></AdditionalInformation>
    {inner}</Declaration></md:MetaData>"""


def amendment(reference, mrn, item=1):
    steps = [("42A", 1, None), ("67A", 1, None), ("68A", item, None), ("23A", 1, None), ("65A", 1, "128")]
    pointers = "".join(
        f"<Pointer><SequenceNumeric>{number}</SequenceNumeric><DocumentSectionCode>{section}</DocumentSectionCode>"
        + (f"<TagID>{tag}</TagID>" if tag else "") + "</Pointer>"
        for section, number, tag in steps)
    return request("COR", reference, mrn, f"""<Amendment><ChangeReasonCode>28</ChangeReasonCode>{pointers}</Amendment>
      <GoodsShipment><GovernmentAgencyGoodsItem><SequenceNumeric>1</SequenceNumeric><Commodity><GoodsMeasure>
      <NetNetWeightMeasure>99.5</NetNetWeightMeasure></GoodsMeasure></Commodity></GovernmentAgencyGoodsItem></GoodsShipment>""")


def movement(code, ucr):
    return f"""<inv:inventoryLinkingMovementRequest xmlns:inv="http://gov.uk/customs/inventoryLinking/v1">
  <inv:messageCode>{code}</inv:messageCode><inv:ucrBlock><inv:ucr>{ucr}</inv:ucr><inv:ucrType>D</inv:ucrType></inv:ucrBlock>
  <inv:goodsLocation>NLRTM</inv:goodsLocation><inv:movementReference>{code}1</inv:movementReference>
</inv:inventoryLinkingMovementRequest>"""


class Life:
    """One declaration, from its lodging on."""

    def __init__(self, name, **given):
        self.name = name
        status, answer = call("POST", "/api/v1/messages", declaration(name, **given).encode(), TOKEN)
        assert status in (201, 422), (status, answer)
        self.receipt = json.loads(answer)
        self.mrn = (self.receipt.get("receipt") or self.receipt)["mrn"]

    def send(self, message, followed=True):
        status, answer = call("POST", "/api/v1/messages", message.encode(), TOKEN)
        assert status == (200 if followed else 422), (self.name, status, answer)
        return json.loads(answer)

    def until(self, *states):
        for _ in range(WAIT_SECONDS * 10):
            status, answer = call("GET", f"/api/v1/declarations/{self.mrn}", token=OFFICER)
            # An officer's list may be a moment behind.
            assert status in (200, 404), (status, answer)
            state = json.loads(answer)["row"]["state"] if status == 200 else "not listed yet"
            if state in states:
                return
            time.sleep(0.1)
        raise AssertionError(f"{self.name} stands at {state}")

    def act(self, token=OFFICER, **action):
        version = asked("GET", f"/api/v1/declarations/{self.mrn}", token=token)["version"]
        asked("POST", f"/api/v1/declarations/{self.mrn}/actions", {"version": version, **action}, token)

    def taken(self):
        self.until("held")
        self.act(action="take")
        return self

    def released(self):
        self.act(action="release", why="Nothing speaks against it.")

    def codes(self):
        """Fetched: the list, and each one's XML, which says the same."""
        said = []
        for row in asked("GET", f"/api/v1/declarations/{self.mrn}/notifications", token=READER):
            status, xml = call("GET", f"/api/v1/notifications/{row['id']}", token=READER)
            assert status == 200, (status, xml)
            response = ET.fromstring(xml).find(f"{RESPONSE}Response")
            code = response.findtext(f"{RESPONSE}FunctionCode")
            named = response.findtext(f"{RESPONSE}Status/{RESPONSE}NameCode")
            assert (code, response.findtext(f"{RESPONSE}FunctionalReferenceID")) == (row["function_code"], row["id"])
            assert response.findtext(f"{RESPONSE}Declaration/{RESPONSE}ID") == self.mrn
            answered = response.findtext(f"{RESPONSE}Declaration/{RESPONSE}FunctionalReferenceID")
            assert answered == row["reference"], (answered, row)
            said.append(code + (f"/{named}" if named else ""))
            FETCHED[row["id"]] = xml
        return " ".join(said)


TOKEN = token_of("declarations.lodge declarations.read")
READER = token_of("declarations.read notifications.read")
FETCHED = {}

# Refusals of the protocol.
bad = urllib.parse.urlencode({"grant_type": "client_credentials"}).encode()
status, answer = call("POST", "/oauth2/token", bad, kind="application/x-www-form-urlencoded", basic=(CLIENT, "wrong"))
assert (status, json.loads(answer)["error"]) == (401, "invalid_client"), (status, answer)
status, _ = call("POST", "/api/v1/messages", declaration("NO-SCOPE").encode(), READER)
assert status == 403, status

# A webhook, before anything happens.
server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
manager = token_of("webhooks.manage")
webhook = asked("POST", "/api/v1/webhooks", {"url": f"http://127.0.0.1:{server.server_port}/"}, manager)
Receiver.secret = webhook["secret"]

lives = []

life = Life("STANDARD-1")
life.taken().released()
lives.append(life)

life = Life("AMENDED-1", kind="IMD")
life.until("received")
life.send(amendment("AMENDED-1-COR", life.mrn))
life.send(request("GPR", "AMENDED-1-GPR", life.mrn))
life.taken().released()
lives.append(life)

life = Life("WITHDRAWN-1", kind="IMD")
life.send(request("INV", "WITHDRAWN-1-INV", life.mrn, "<Amendment><ChangeReasonCode>1</ChangeReasonCode></Amendment>"))
life.act(CHIEF, action="cancel", why="Lodged twice.")
lives.append(life)

life = Life("WRONG-1", rate="ten")
lives.append(life)

life = Life("POINTLESS-1", kind="IMD")
answer = life.send(amendment("POINTLESS-1-COR", life.mrn, item=7), followed=False)
assert answer["findings"][0]["code"] == "amendment_points_at_nothing", answer
life.send(request("GPR", "POINTLESS-1-GPR", life.mrn))
life.taken().released()
lives.append(life)

life = Life("PAPERS-1")
life.taken().act(action="request_documents", what="the invoice")
status, kept = call("POST", "/api/v1/documents", b"an invoice", TOKEN, "text/plain")
assert status < 300, (status, kept)
document = {"name": "invoice.txt", "media_type": "text/plain", "sha256": json.loads(kept)["sha256"]}
life.act(TOKEN, action="send_documents", note="", documents=[document])
life.released()
lives.append(life)

life = Life("EXAMINED-1")
life.taken().act(action="escalate", why="The goods are looked at.")
life.act(action="take")
result = {"code": "irregular", "findings": [], "recovered_revenue": None, "note": "other goods", "evidence": [], "inspected": True}
life.act(action="complete", result=result)
life.act(action="detain", legal_basis="Customs Act, section 9", why="Other goods than declared.")
lives.append(life)

life = Life("ASKED-1")
life.taken().act(action="ask", text="Who made the goods?")
life.act(TOKEN, action="answer", text="Our own works.")
life.act(action="release", why="Answered.", open=["debt"])
life.act(action="clear", why="Paid.")
lives.append(life)

life = Life("UNCOVERED-1")
life.taken().act(action="report_insufficient", note="account 7")
life.act(action="receive_payment", note="cash")
life.until("held")
life.released()
lives.append(life)

UCR = "6NL0001-CHAIRS"
life = Life("EXPORTED-1", kind="EXD", ucr=UCR)
status, answer = call("POST", "/api/v1/messages", movement("EAL", "6NL0001-NOBODY").encode(), TOKEN)
assert status == 404 and b"consignment_unknown" in answer, (status, answer)
life.send(movement("EAL", UCR))
life.taken().released()
life.send(movement("EDL", UCR))
life.act(action="confirm_exit", office="NL000510", code="conform")
lives.append(life)

for life in lives:
    print(life.name, life.codes())

# Pushed: everything that can be fetched, in order, the refused one again under its id.
asked_for = sorted(FETCHED)
for _ in range(WAIT_SECONDS * 10):
    if len(Receiver.taken) >= len(FETCHED):
        break
    time.sleep(0.1)
pushed = dict(Receiver.taken)
assert sorted(pushed) == asked_for, (len(pushed), len(asked_for))
assert all(pushed[own] == xml for own, xml in FETCHED.items()), "what is pushed is what is fetched"
assert Receiver.tries[0] == Receiver.tries[1], "what was refused comes again under its id"
listed, after = [], 0
while True:
    page = asked("GET", f"/api/v1/notifications?after={after}&limit=7", token=READER)
    if not page["notifications"]:
        break
    listed += [row["id"] for row in page["notifications"]]
    after = page["next_after"]
assert [own for own, _ in Receiver.taken] == listed, "pushed in the order in which they are listed"
print("PUSHED", len(pushed))
