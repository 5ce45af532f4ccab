// A real OpenID provider on loopback: the package `oidc-provider` with its own pages, on which every
// login is let in. It tells its issuer first, and then reads where it may send browsers back to.

import { createServer } from "node:http";
import { createInterface } from "node:readline";
import Provider from "oidc-provider";

const server = createServer();
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const issuer = `http://127.0.0.1:${server.address().port}`;
console.log(JSON.stringify({ issuer }));

// Who `login` is: ada has an address at an institution that says what she is there; orcid has none.
function claims(login) {
  const name = `${login[0].toUpperCase()}${login.slice(1)} Quill`;
  if (login === "orcid") return { sub: "0000-0001-2345-6789", name };
  return {
    sub: `subject-of-${login}`,
    name,
    email: `${login}@orrin.example`,
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
    findAccount: (_, id) => ({ accountId: claims(id).sub, claims: () => claims(id) }),
  });
  server.removeAllListeners("request");
  server.on("request", provider.callback());
  console.log(JSON.stringify({ redirect }));
}
process.exit(0);
