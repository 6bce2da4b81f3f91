//! The files of a plan: what its phases, and the statements that stay, are called and how their runner is told to run them.

use super::Piece;
use crate::discover::place::{self, PieceTransaction, Room};
use crate::plan::{Down, Plan, Refusal, Runs, header};

/// The files of a piece, as the runner's conventions will write them.
pub(super) fn files_of(piece: &Piece, room: &Room) -> Vec<place::Piece> {
    let together = |name: String, statements: &[String]| place::Piece {
        name,
        header: Vec::new(),
        transaction: PieceTransaction::InTransaction,
        up: room.transaction_block(statements),
        down: None,
    };
    match piece {
        Piece::Kept(statements, Runs::InTransaction) => vec![together("first".to_owned(), statements)],
        Piece::Kept(statements, Runs::Alone) => vec![place::Piece {
            name: "alone".to_owned(),
            header: Vec::new(),
            transaction: PieceTransaction::Alone,
            up: ended(statements),
            down: None,
        }],
        Piece::Refused { sql, refusal, .. } => {
            let name = match refusal {
                Refusal::Unknown(_) | Refusal::Window(_) => "in a window",
                Refusal::Release(_) => "with a release",
            };
            vec![together(name.to_owned(), std::slice::from_ref(sql))]
        }
        Piece::Planned(plan) => (0..plan.phases.len()).map(|at| phase_file(plan, at, room)).collect(),
    }
}

fn phase_file(plan: &Plan, at: usize, room: &Room) -> place::Piece {
    let phase = &plan.phases[at];
    let put = |statements: &[String]| match phase.runs {
        Runs::InTransaction => room.transaction_block(statements),
        Runs::Alone => ended(statements),
    };
    let up: Vec<_> = phase.up.iter().map(|line| line.sql.clone()).collect();
    let down = match &phase.down {
        Down::Sql(statements) if statements.is_empty() => Some("-- nothing to undo\n".to_owned()),
        Down::Sql(statements) => Some(put(statements)),
        Down::Nothing(why) => Some(format!("-- no way back: {why}\n")),
    };
    let mut header = header::lines(plan, at);
    if let (Down::Sql(statements), false) = (&phase.down, room.writes_way_back()) {
        header.extend(header::way_back(statements));
    }
    let transaction = match phase.runs {
        Runs::InTransaction => PieceTransaction::InTransaction,
        Runs::Alone => PieceTransaction::Alone,
    };
    place::Piece { name: format!("{} {}", plan.name, phase.title), header, transaction, up: put(&up), down }
}

fn ended(statements: &[String]) -> String {
    statements.iter().map(|sql| format!("{};\n", sql.trim_end())).collect()
}
