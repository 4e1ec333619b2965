package main

import (
	"context"
	"database/sql"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"peer/article"
)

// inventory is the article's service.
type inventory struct {
	shelf *shelf
	lock  *redlock
}

func (i *inventory) SetInv(ctx context.Context, info *article.GoodInvInfo) (*article.Empty, error) {
	if err := i.shelf.set(ctx, info.GoodsId, info.Num); err != nil {
		return nil, statusOf(err)
	}
	return &article.Empty{}, nil
}

func (i *inventory) InvDetail(ctx context.Context, info *article.GoodInvInfo) (*article.GoodInvInfo, error) {
	num, err := i.shelf.sticks(ctx, info.GoodsId)
	if err != nil {
		return nil, statusOf(err)
	}
	return &article.GoodInvInfo{GoodsId: info.GoodsId, Num: num}, nil
}

func (i *inventory) Sell(ctx context.Context, order *article.SellInfo) (*article.Empty, error) {
	return i.move(ctx, order, func(tx *sql.Tx, line *article.GoodInvInfo) error {
		sticks, err := sticksOf(ctx, tx, line.GoodsId)
		if err != nil {
			return err
		}
		if sticks < line.Num {
			return status.Error(codes.InvalidArgument, "not enough stock")
		}
		return addSticks(ctx, tx, line.GoodsId, -line.Num)
	})
}

func (i *inventory) Rollback(ctx context.Context, order *article.SellInfo) (*article.Empty, error) {
	return i.move(ctx, order, func(tx *sql.Tx, line *article.GoodInvInfo) error {
		if _, err := sticksOf(ctx, tx, line.GoodsId); err != nil {
			return err
		}
		return addSticks(ctx, tx, line.GoodsId, line.Num)
	})
}

// move leases the goods of all lines, takes every line in one transaction, and unlocks them after its commit.
func (i *inventory) move(
	ctx context.Context,
	order *article.SellInfo,
	take func(*sql.Tx, *article.GoodInvInfo) error,
) (*article.Empty, error) {
	for _, line := range order.GoodsInfo {
		unlock, err := i.lock.lease(ctx, fmt.Sprintf("peer_goods_%d", line.GoodsId))
		if err != nil {
			return nil, statusOf(err)
		}
		defer unlock()
	}
	err := i.shelf.inTransaction(ctx, func(tx *sql.Tx) error {
		for _, line := range order.GoodsInfo {
			if err := take(tx, line); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, statusOf(err)
	}
	return &article.Empty{}, nil
}

func statusOf(err error) error {
	if _, ok := status.FromError(err); ok {
		return err
	}
	if err == sql.ErrNoRows {
		return status.Error(codes.NotFound, "no such goods")
	}
	return status.Error(codes.Internal, err.Error())
}
