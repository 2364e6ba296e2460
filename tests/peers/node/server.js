// An OPC UA server of another stack (node-opcua): counters that change together, on a schedule, written down.
//
// node server.js OPTIONS: a JSON object:
//   port: 0 finds a free one. items: counters v0, v1, ...; static: {name: number or text}
//   structures: {name: fields} of the type PressState, whole or in an array, of types.NodeSet2.xml.
//   period_ms, start: each period all counters take the next number, from start on. log: a file that gets
//   {"t_us", "value"} of each. spaces_before: namespaces in front of its own.
//   most_items: monitored items of a subscription.
//   read, subscribe: operation limits. told: whether the server tells them. sessions: the most at once.
//   certificate, key: PEM files. policies, modes: what the endpoints offer. users: {name: password}.
//   trusted: PEM or DER certificates of clients and of users.
// It prints "listening PORT"; a line on its standard input sets a variable: {"name": ..., "value": ...}.
"use strict";
const fs = require("fs");
const path = require("path");
const readline = require("readline");

const root = process.env.PLANTLEDGER_TEST_PEERS;
const need = (name) => require(require.resolve(name, { paths: [path.join(root, "node_modules")] }));
const ua = need("node-opcua-server");
const { Variant, DataType, VariantArrayType } = need("node-opcua-variant");
const { StatusCodes } = need("node-opcua-status-code");
const { OPCUACertificateManager } = need("node-opcua-certificate-manager");

const { SecurityPolicy } = need("node-opcua-secure-channel");

const URI = "urn:tests:plant";
const options = JSON.parse(process.argv[2]);

let structure;
const typeOf = (space) => space.findDataType("PressState", space.getNamespaceIndex("urn:tests:types"));

function variant(value) {
  if (Array.isArray(value) && typeof value[0] === "object") {
    const dataType = DataType.ExtensionObject;
    return new Variant({ dataType, arrayType: VariantArrayType.Array, value: value.map(structure) });
  }
  if (typeof value === "object" && !Array.isArray(value)) {
    return new Variant({ dataType: DataType.ExtensionObject, value: structure(value) });
  }
  if (Array.isArray(value)) {
    return new Variant({ dataType: DataType.Double, arrayType: VariantArrayType.Array, value: Float64Array.from(value) });
  }
  const dataType = typeof value === "string" ? DataType.String : DataType.Double;
  return new Variant({ dataType, value });
}

function add(space, folder, name, value) {
  const node = space.addVariable({
    componentOf: folder,
    browseName: name,
    nodeId: `s=${name}`,
    dataType: typeof value === "string" ? "String" : "Double",
    valueRank: Array.isArray(value) ? 1 : -1,
    minimumSamplingInterval: 10,
  });
  node.setValueFromSource(variant(value), StatusCodes.Good);
  return node;
}

async function certificates(folder, trusted) {
  const manager = new OPCUACertificateManager({ rootFolder: folder, automaticallyAcceptUnknownCertificate: false });
  await manager.initialize();
  for (const file of trusted) await manager.trustCertificate(fs.readFileSync(file));
  return manager;
}

async function main() {
  const folder = options.folder;
  const server = new ua.OPCUAServer({
    port: options.port,
    host: "127.0.0.1",
    resourcePath: "/plant",
    hostname: "127.0.0.1",
    certificateFile: options.certificate,
    privateKeyFile: options.key,
    serverCertificateManager: await certificates(path.join(folder, "pki"), options.trusted || []),
    userCertificateManager: await certificates(path.join(folder, "users"), options.trusted || []),
    securityPolicies: (options.policies || ["None"]).map((name) => SecurityPolicy[name]),
    securityModes: options.modes || [1],
    allowAnonymous: !options.users,
    userManager: { isValidUser: (name, password) => (options.users || {})[name] === password },
    nodeset_filename: [
      require.resolve(path.join(root, "node_modules/node-opcua-nodesets/nodesets/Opc.Ua.NodeSet2.xml")),
      ...(options.structures ? [path.join(__dirname, "types.NodeSet2.xml")] : []),
    ],
    serverInfo: { applicationUri: options.application_uri || "urn:tests:peer" },
    serverCapabilities: {
      maxSessions: options.sessions || 10,
      maxMonitoredItemsPerSubscription: options.most_items || 100000,
      operationLimits: { maxNodesPerRead: options.read || 1000, maxMonitoredItemsPerCall: options.subscribe || 1000 },
    },
    isAuditing: false,
  });
  await server.initialize();
  const space = server.engine.addressSpace;
  for (let n = 0; n < (options.spaces_before || 0); n++) space.registerNamespace(`urn:tests:other${n}`);
  const own = space.registerNamespace(URI);
  const folderNode = own.addFolder(space.rootFolder.objects, { browseName: "Plant" });
  let value = options.start || 0;
  const nodes = {};
  const counters = [];
  let part = folderNode;
  for (let n = 0; n < (options.items || 0); n++) {
    if (n % 100 === 0) part = own.addFolder(folderNode, { browseName: `Part${n / 100}` });
    counters.push(add(own, part, `v${n}`, value));
  }
  for (const [name, first] of Object.entries(options.static || {})) nodes[name] = add(own, folderNode, name, first);
  structure = (fields) => space.constructExtensionObject(typeOf(space), fields);
  for (const [name, fields] of Object.entries(options.structures || {})) {
    const node = own.addVariable({
      componentOf: folderNode, browseName: name, nodeId: `s=${name}`, dataType: typeOf(space).nodeId,
      valueRank: Array.isArray(fields) ? 1 : -1, minimumSamplingInterval: 10,
    });
    node.setValueFromSource(variant(fields), StatusCodes.Good);
    nodes[name] = node;
  }
  await server.start();
  if (options.told === false) {
    for (const limit of ["i=11705", "i=11714"]) {
      const nothing = { get: () => new Variant({ dataType: DataType.UInt32, value: 0 }) };
      space.findNode(limit).bindVariable(nothing, true);
    }
  }
  const log = options.log ? fs.openSync(options.log, "a") : null;
  const note = () => log !== null && fs.writeSync(log, JSON.stringify({ t_us: Date.now() * 1000, value }) + "\n");
  note();
  if (options.period_ms) {
    setInterval(() => {
      value += 1;
      note();
      const next = variant(value);
      for (const node of counters) node.setValueFromSource(next, StatusCodes.Good, new Date());
    }, options.period_ms);
  }
  readline.createInterface({ input: process.stdin }).on("line", (line) => {
    const wish = JSON.parse(line);
    nodes[wish.name].setValueFromSource(variant(wish.value), StatusCodes.Good, new Date());
  });
  console.log(`listening ${server.endpoints[0].port}`);
}

main().catch((fault) => {
  console.error(fault);
  process.exit(1);
});
