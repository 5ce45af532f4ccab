// A real OpenID provider on loopback: the package `oidc-provider` with its own pages, on which every
// login is let in. It tells its issuer first, and then reads where it may send browsers back to.

import { createServer } from "node:http";
import { createInterface } from "node:readline";
import Provider from "oidc-provider";

const server = createServer();
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const issuer = `http://127.0.0.1:${server.address().port}`;
console.log(JSON.stringify({ issuer }));

// Who a login is: `subject-of-ada` is somebody of an institution that says what she is there; of
// a number, as ORCID has them, no address is known.
function claims(login) {
  const [, word] = /^subject-of-(\w+)$/.exec(login) ?? [];
  if (!word) return { sub: login, name: "Nobody Quill" };
  return {
    sub: login,
    name: `${word[0].toUpperCase()}${word.slice(1)} Quill`,
    email: `${word}@orrin.example`,
    email_verified: true,
    eduperson_scoped_affiliation: ["member@orrin.example", "staff@orrin.example"],
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { redirect } = JSON.parse(line);
  const provider = new Provider(issuer, {
    clients: [{ client_id: "hydrant", client_secret: "sesame", redirect_uris: [redirect] }],
    claims: {
      openid: ["sub"],
      email: ["email", "email_verified"],
      profile: ["name", "eduperson_scoped_affiliation"],
    },
    cookies: { keys: ["made up"] },
    findAccount: (_, id) => ({ accountId: id, claims: () => claims(id) }),
  });
  server.removeAllListeners("request");
  server.on("request", provider.callback());
  console.log(JSON.stringify({ redirect }));
}
process.exit(0);
