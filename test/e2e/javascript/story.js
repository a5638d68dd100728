// The calls of Kii's JavaScript SDK for administrators and for verification, from start to end.
// The environment is what `kii-emulator -- node story.js` hands over.

"use strict";

const assert = require("node:assert/strict");
const { Kii, KiiUser } = require("kii-cloud-sdk").create();

const env = process.env;
let checks = 0;

function check(what, condition) {
  assert.ok(condition, what);
  checks++;
}

// fails waits for a promise that must be rejected, with a message that matches.
async function fails(what, promise, message) {
  await assert.rejects(promise, message, what);
  checks++;
}

// emulator calls the emulator's own API.
async function emulator(method, path, body) {
  const reply = await fetch(env.KII_EMULATOR_API + path, {
    method,
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body && JSON.stringify(body),
  });
  assert.ok(reply.ok, `${method} ${path}: ${reply.status}`);
  return reply.json();
}

const lastMessage = (to) => emulator("GET", "/messages/latest?to=" + encodeURIComponent(to));

// userOf takes the user out of what a finder resolves with: the administrator comes along.
const userOf = (found) => Object.values(found).find((value) => value instanceof KiiUser);

async function administrator() {
  const admin = await Kii.authenticateAsAppAdmin(env.KII_CLIENT_ID, env.KII_CLIENT_SECRET);
  check("a token", admin.getAccessToken());
  await fails("a wrong secret", Kii.authenticateAsAppAdmin(env.KII_CLIENT_ID, "wrong"), /invalid_grant/);

  const found = userOf(await admin.findUserByUsername("alice"));
  for (const same of [await admin.findUserByEmail("alice@example.com"), await admin.findUserByPhone("+819012345678")]) {
    check("the same user", userOf(same).getID() === found.getID());
  }
  await fails("nobody", admin.findUserByUsername("nobody"), /USER_NOT_FOUND/);

  const user = admin.userWithID(found.getID());
  await user.refresh();
  check("the whole record", user.getPhoneNumber() === "+819012345678");
  await user.updatePassword("the SDK wants an old one", "from-the-admin");
  await fails("the old password", KiiUser.authenticate("alice", "old-password"), /invalid_grant/);
}

async function verification() {
  await emulator("PATCH", "/settings", { verifyEmail: true, verifyPhone: true });
  const alice = await KiiUser.authenticate("alice", "from-the-admin");

  await alice.changePhone("+819087654321");
  await alice.refresh();
  check("a pending number", alice.getPhoneNumber() === "+819012345678");
  await alice.resendPhoneNumberVerification();
  await fails("a wrong code", alice.verifyPhoneNumber("wrong"), /verif/i);
  await alice.verifyPhoneNumber((await lastMessage("+819087654321")).code);
  await alice.refresh();
  check("a verified number", alice.getPhoneNumber() === "+819087654321" && alice.getPhoneVerified());

  await alice.changeEmail("alice@new.example.com");
  await alice.resendEmailVerification();
  await alice.verifyCredentials("email-address", (await lastMessage("alice@new.example.com")).code);
  await alice.refresh();
  check("a verified address", alice.getEmailAddress() === "alice@new.example.com" && alice.getEmailVerified());
  await fails("nothing to verify", alice.resendEmailVerification(), /verif/i);
}

(async () => {
  Kii.initializeWithSite(env.KII_APP_ID, env.KII_APP_KEY, env.KII_SITE);
  await emulator("POST", "/users", {
    loginName: "alice", password: "old-password",
    email: "alice@example.com", emailVerified: true, phone: "+819012345678", phoneVerified: true,
  });
  await administrator();
  await verification();
  console.log(`${checks} checks passed`);
})().catch((err) => {
  console.error(err);
  process.exit(1);
});
