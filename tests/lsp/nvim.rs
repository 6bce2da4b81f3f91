//! Neovim, without a screen: opens a migration, gets its findings, applies a fix and an allowance, and saves.
//!
//! It is told of the server by the lines that docs/editors.md gives for it.

use crate::project;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The block of docs/editors.md that version 0.7 can run.
fn init() -> String {
    let docs = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/editors.md")).expect("docs/editors.md is there");
    let block = docs.split("```lua\n").nth(2).and_then(|rest| rest.split("```").next()).expect("there is a second block");
    assert!(block.contains("'lockkeeper', 'lsp'") && block.contains("start_client"), "{block}");
    block.replace("'lockkeeper', 'lsp'", &format!("'{}', 'lsp'", env!("CARGO_BIN_EXE_lockkeeper")))
}

/// What is done in the editor: the action whose title begins so is applied in the line, and the file is saved.
const DRIVE: &str = r#"
local function wait(what, is_so)
  if not vim.wait(20000, is_so, 20) then
    io.stderr:write('waited for ' .. what .. ' in vain\n')
    vim.cmd('cquit')
  end
end
local function codes()
  return vim.tbl_map(function(found) return found.code .. '@' .. found.lnum .. ':' .. found.col end, vim.diagnostic.get(0))
end
local log = io.open('codes.txt', 'w')
local function note()
  local all = codes()
  table.sort(all)
  log:write(table.concat(all, ' ') .. '\n')
end
local function act(title, line)
  vim.api.nvim_win_set_cursor(0, { line, 0 })
  local before = vim.api.nvim_buf_get_changedtick(0)
  vim.ui.select = function(actions, _, choose)
    for at, action in ipairs(actions) do
      if vim.startswith(action[2].title, title) then return choose(action, at) end
    end
    io.stderr:write('no action ' .. title .. '\n')
    vim.cmd('cquit')
  end
  vim.lsp.buf.code_action()
  wait(title, function() return vim.api.nvim_buf_get_changedtick(0) ~= before end)
end
wait('findings', function() return #vim.diagnostic.get(0) == 2 end)
note()
act('build it concurrently', 2)
wait('the fix to be seen', function() return #vim.diagnostic.get(0) == 1 end)
note()
act('allow drop-table here', 3)
wait('the reason to be asked for', function() return vim.tbl_contains(codes(), 'allowance@2:0') end)
note()
local line = vim.api.nvim_buf_get_lines(0, 2, 3, true)[1]
vim.api.nvim_buf_set_lines(0, 2, 3, true, { (line:gsub('TODO: say why', 'größe 😀 is gone')) })
wait('the reason to be heard', function()
  local all = vim.diagnostic.get(0)
  return #all == 1 and all[1].severity == vim.diagnostic.severity.HINT
end)
note()
vim.cmd('write')
log:close()
vim.cmd('quit')
"#;

#[test]
fn neovim_shows_findings_and_writes_what_was_chosen() {
    let text = "-- größe 😀\n\tCREATE INDEX orders_buyer_idx ON orders (buyer);\nDROP TABLE drafts;\n";
    let folder = project(&[
        ("lockkeeper.yaml", "transaction: none\nrules: { lock-without-timeout: off, statement-cannot-run-again: off }\n"),
        (
            "migrations/0001_orders.sql",
            "CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint);\nCREATE TABLE drafts (id bigint PRIMARY KEY);\n",
        ),
        ("migrations/0002_index.sql", text),
        ("init.lua", &init()),
        ("drive.lua", DRIVE),
    ]);
    let home = folder.path().join("home");
    let output = Command::new("nvim")
        .args([
            "--headless",
            "-i",
            "NONE",
            "-n",
            "-u",
            "init.lua",
            "--cmd",
            "filetype on",
            "migrations/0002_index.sql",
            "-c",
            "luafile drive.lua",
        ])
        .current_dir(folder.path())
        .envs([("HOME", &home), ("XDG_STATE_HOME", &home), ("XDG_DATA_HOME", &home), ("XDG_CONFIG_HOME", &home), ("XDG_CACHE_HOME", &home)])
        .output()
        .expect("nvim is installed: apt-get install neovim");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let codes = fs::read_to_string(folder.path().join("codes.txt")).expect("it was written");
    let expected = "create-index-without-concurrently@1:1 drop-table@2:0\ndrop-table@2:0\nallowance@2:0 drop-table@3:0\ndrop-table@3:0\n";
    assert_eq!(codes, expected, "{said}");
    let saved = fs::read_to_string(folder.path().join("migrations/0002_index.sql")).expect("it is there");
    let wanted = text
        .replace("CREATE INDEX ", "CREATE INDEX CONCURRENTLY ")
        .replace("DROP TABLE", "-- lockkeeper: allow drop-table because größe 😀 is gone\nDROP TABLE");
    assert_eq!(saved, wanted);
}
