//! Every statement's kind, subcommands, names and flags, from tokens; one file for each family.
