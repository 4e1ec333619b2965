package main

import (
	"context"
	"database/sql"

	_ "github.com/lib/pq"
)

// The article's table. An index that has each goods once is what its lookups need, and kinder than its own.
const schema = `
create table if not exists inventory (
  id bigserial primary key,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  goods integer not null unique,
  sticks integer not null,
  version integer not null
)`

const connections = 16

// shelf is the table of what is in stock.
type shelf struct {
	db *sql.DB
}

func openShelf(url string) (*shelf, error) {
	db, err := sql.Open("postgres", url)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	_, err = db.Exec(schema)
	return &shelf{db}, err
}

func (s *shelf) set(ctx context.Context, goods, sticks int32) error {
	_, err := s.db.ExecContext(ctx, `insert into inventory (goods, sticks, version) values ($1, $2, 0)
		on conflict (goods) do update set sticks = excluded.sticks, updated_at = now()`, goods, sticks)
	return err
}

func (s *shelf) sticks(ctx context.Context, goods int32) (int32, error) {
	return sticksOf(ctx, s.db, goods)
}

// inTransaction commits what do did, or rolls it back where it answers an error.
func (s *shelf) inTransaction(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		tx.Rollback()
		return err
	}
	return tx.Commit()
}

type rowQuerier interface {
	QueryRowContext(ctx context.Context, query string, args ...interface{}) *sql.Row
}

// sticksOf answers sql.ErrNoRows for unknown goods.
func sticksOf(ctx context.Context, at rowQuerier, goods int32) (sticks int32, err error) {
	err = at.QueryRowContext(ctx, `select sticks from inventory where goods = $1`, goods).Scan(&sticks)
	return sticks, err
}

func addSticks(ctx context.Context, tx *sql.Tx, goods, sticks int32) error {
	_, err := tx.ExecContext(ctx, `update inventory set sticks = sticks + $1, updated_at = now() where goods = $2`,
		sticks, goods)
	return err
}
