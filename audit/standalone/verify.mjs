// A second check of an audit bundle, written apart from audit_verify.py: who trusts neither asks
// both. It checks the hashes of the manifest, the leaves, the root and the signature; it does not
// read the records, nor say what happened to them.
//
//   node verify.mjs BUNDLE [--vkey KEY|FILE]...        Node 18 or later, nothing else
//
// Prints "ok" or one line. Exit code: 0 in order; 1 tampered with; 2 something could not be shown;
// 3 no such file, not a bundle, or wrong options.
import { createHash, createPublicKey, verify } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const FORMAT = "dashtam.audit-bundle/v1";
const SPKI_OF_ED25519 = Buffer.from("302a300506032b6570032100", "hex");

class Stop extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}
const stop = (code, message) => { throw new Stop(code, message); };
const expect = (holds, message) => holds || stop(1, message);

function sha256(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function base64(text) {
  const raw = Buffer.from(text ?? "", "base64");
  expect(raw.toString("base64") === text, "base64 that is not canonical");
  return raw;
}

function number(text) {
  expect(/^(0|[1-9]\d{0,18})$/.test(text ?? ""), "not a number");
  if (!Number.isSafeInteger(Number(text))) stop(2, "too large a number for this check");
  return Number(text);
}

function filesOfFolder(root, below = "", files = new Map()) {
  for (const entry of readdirSync(join(root, below), { withFileTypes: true })) {
    const name = below + entry.name;
    if (entry.isDirectory()) filesOfFolder(root, name + "/", files);
    else if (entry.isFile()) files.set(name, () => readFileSync(join(root, name)));
  }
  return files;
}

function* membersOf(tar) {
  const text = (from, to) => tar.toString("utf8", from, to).split("\0")[0];
  const octal = (from, to) => parseInt(text(from, to), 8);
  for (let at = 0; at + 512 <= tar.length && tar[at]; ) {
    let sum = 0;
    for (let n = 0; n < 512; n++) sum += n >= 148 && n < 156 ? 32 : tar[at + n];
    const end = at + 512 + octal(at + 124, at + 136);
    if (sum !== octal(at + 148, at + 156) || !(end <= tar.length)) {
      stop(3, "not a tar, or one that is damaged or cut off");
    }
    const name = text(at, at + 100).replace(/^\.\//, "");
    yield { name, kind: String.fromCharCode(tar[at + 156]), content: tar.subarray(at + 512, end) };
    at = Math.ceil(end / 512) * 512;
  }
}

function filesOfTar(tar) {
  const files = new Map();
  for (const { name, kind, content } of membersOf(tar)) {
    const isOutside = name.startsWith("/") || name.split("/").includes("..");
    if (isOutside || !["\0", "0", "5", "x", "g"].includes(kind) || files.has(name)) {
      stop(3, "the tar holds what no bundle has");
    }
    const renames = / (path|linkpath|size|GNU\.[a-z.]+)=/;
    if (kind === "\0" || kind === "0") files.set(name, () => content);
    else if (kind !== "5" && renames.test(content.toString("latin1"))) stop(3, "the tar renames");
  }
  const tops = [...files.keys()].filter((name) => name.endsWith("/manifest.json"));
  if (files.has("manifest.json") || tops.length !== 1) return files;
  const top = tops[0].slice(0, -"manifest.json".length);
  const inside = [...files].filter(([name]) => name.startsWith(top));
  return new Map(inside.map(([name, read]) => [name.slice(top.length), read]));
}

function filesOf(path) {
  try {
    if (statSync(path).isDirectory()) return filesOfFolder(path);
    return statSync(path).isFile() ? filesOfTar(readFileSync(path)) : stop(3, "not a file");
  } catch (error) {
    throw error.syscall ? new Stop(3, error.message) : error;
  }
}

function openBundle(path) {
  const files = filesOf(path);
  if (!files.has("manifest.json")) stop(3, "not a bundle: it has no manifest.json");
  return (name) => {
    expect(files.has(name), `${JSON.stringify(name)} is missing`);
    return files.get(name)();
  };
}

function checkManifest(read) {
  const manifest = JSON.parse(read("manifest.json").toString());
  for (const name of ["checkpoint", "entries.jsonl", "leaves", "range.proof", "vkey"]) {
    expect(manifest.files[name], `${name} is not in the manifest`);
  }
  for (const [name, hash] of Object.entries(manifest.files)) {
    const isSame = sha256(read(name)).toString("hex") === hash;
    expect(isSame, `${JSON.stringify(name)} is not the file of the manifest`);
  }
  return manifest;
}

function readKey(text) {
  const [, name, id, encoded] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text) ?? [];
  const raw = base64(encoded);
  expect(raw.length === 33 && raw[0] === 1, "not a verifier key");
  expect(sha256(name, "\n", raw).toString("hex", 0, 4) === id, "not a verifier key");
  const key = Buffer.concat([SPKI_OF_ED25519, raw.subarray(1)]);
  return { name, id, public: createPublicKey({ key, format: "der", type: "spki" }) };
}

function keysOfOption(option) {
  try {
    const text = existsSync(option) ? readFileSync(option, "utf8") : option;
    return text.split("\n").filter(Boolean).map(readKey);
  } catch {
    return stop(3, "--vkey: not a key, nor a file of keys");
  }
}

function readCheckpoint(note, keys) {
  const end = note.lastIndexOf("\n\n") + 1;
  expect(end > 0 && note.endsWith("\n"), "not a signed checkpoint");
  const message = Buffer.from(note.slice(0, end));
  const signers = new Set();
  for (const line of note.slice(end + 1, -1).split("\n")) {
    const [, name, encoded] = /^— (\S+) (\S+)$/.exec(line) ?? [];
    const raw = base64(encoded);
    const key = keys.find((each) => each.name === name && each.id === raw.toString("hex", 0, 4));
    expect(!key || verify(null, message, key.public, raw.subarray(4)), "a signature is wrong");
    if (key) signers.add(name);
  }
  const [origin, size, root] = note.split("\n");
  expect(signers.has(origin), "no key that is trusted has signed the checkpoint");
  return { origin, size: number(size), root: base64(root) };
}

function linesOf(file) {
  const lines = [];
  for (let at = 0; at < file.length; ) {
    const end = file.indexOf(10, at) < 0 ? file.length : file.indexOf(10, at);
    lines.push(file.subarray(at, end));
    at = end + 1;
  }
  return lines;
}

// RFC 9162 §2.1.1 word for word, but that whole subtrees on either side come from the proof.
function rootOf(range, leaves, from = 0, to = range.size) {
  const width = to - from;
  if (width === 0) return sha256("");
  let half = 1;
  while (half * 2 < width) half *= 2;
  const isWhole = width === 1 || half * 2 === width;
  if (isWhole && to <= range.first) return range.left.shift() ?? stop(1, "too few hashes");
  if (isWhole && from >= range.last) return range.right.shift() ?? stop(1, "too few hashes");
  if (width === 1) return leaves[from - range.first];
  const left = rootOf(range, leaves, from, from + half);
  return sha256("\x01", left, rootOf(range, leaves, from + half, to));
}

function readRange(text) {
  const lines = text.split("\n");
  const next = (name) => (lines[0]?.startsWith(`${name} `) ? lines.shift().split(" ")[1] : undefined);
  const hashes = (side) => {
    const found = [];
    for (let hash; (hash = next(side)) !== undefined; ) found.push(base64(hash));
    return found;
  };
  expect(lines.shift() === "dashtam.range-proof/v1" && lines.pop() === "", "not a range proof");
  const [first, last, size] = ["first", "last", "size"].map((name) => number(next(name)));
  const range = { first, last, size, left: hashes("left"), right: hashes("right") };
  const isRight = [...range.left, ...range.right].every((hash) => hash.length === 32);
  expect(isRight && !lines.length && first <= last && last <= size, "not a range proof");
  return range;
}

function checkLeaves(range, leaves, sealed) {
  const bad = leaves.findIndex((leaf, n) => leaf.toString("hex") !== sealed[n]);
  expect(bad < 0, `leaf ${range.first + bad} is not what was sealed`);
  expect(sealed.length === leaves.length, `leaf ${range.first + leaves.length} has no entry`);
  expect(leaves.length === range.last - range.first, "not as many entries as the proof says");
}

function check(path, trusted) {
  const read = openBundle(path);
  const manifest = checkManifest(read);
  const own = () => read("vkey").toString().split("\n").filter(Boolean).map(readKey);
  const checkpoint = readCheckpoint(read("checkpoint").toString(), trusted.length ? trusted : own());
  const range = readRange(read("range.proof").toString());
  for (const name of ["first", "last", "size"]) {
    expect(manifest[name] === range[name], `the manifest tells another ${name}`);
  }
  const leaves = linesOf(read("entries.jsonl")).map((entry) => sha256("\x00", entry));
  checkLeaves(range, leaves, linesOf(read("leaves")).map((line) => line.toString("latin1", 37)));
  expect(checkpoint.size === range.size, "the proof is not of the tree that was signed");
  const isSigned = rootOf(range, leaves).equals(checkpoint.root);
  expect(isSigned && !range.left.length && !range.right.length, "the entries do not lead to the root that was signed");
  expect(manifest.origin === checkpoint.origin, "the manifest tells another origin");
  expect(manifest.count === leaves.length, "the manifest tells another count");
  if (manifest.format !== FORMAT) stop(2, `the bundle is not a ${FORMAT}`);
}

function main([path, ...options]) {
  const trusted = [];
  while (options.length > 1 && options[0] === "--vkey") {
    trusted.push(...keysOfOption(options[1]));
    options.splice(0, 2);
  }
  if (!path || options.length) stop(3, "usage: node verify.mjs BUNDLE [--vkey KEY|FILE]...");
  check(path, trusted);
}

try {
  main(process.argv.slice(2));
  console.log("ok");
} catch (error) {
  // Whatever a damaged file makes Node say is one line as well.
  console.log(JSON.stringify(error.message).slice(1, -1));
  const isTooLarge = error.code === "ERR_FS_FILE_TOO_LARGE";
  process.exitCode = isTooLarge ? 2 : error instanceof Stop ? error.code : 1;
}
