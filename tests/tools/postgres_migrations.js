// postgres-migrations is a library: this is the program around it.
const { Client } = require("pg");
const { migrate } = require("postgres-migrations");

async function main(folder) {
  const client = new Client({ connectionString: process.env.DATABASE_URL });
  await client.connect();
  try {
    await migrate({ client }, folder);
  } finally {
    await client.end();
  }
}

main(process.argv[2]).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
