package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	mathrand "math/rand"
	"time"

	"github.com/gomodule/redigo/redis"
)

const (
	leaseTime = 8 * time.Second
	// Clocks drift by a hundredth of it at the most, and some milliseconds.
	driftTime = leaseTime/100 + 2*time.Millisecond
	// A try that found the goods taken is followed by another after a pause by chance.
	triesMax     = 200
	pauseTimeMin = 5 * time.Millisecond
	pauseTimeMax = 25 * time.Millisecond
	// Connections to a node that are kept open: one for each caller that the bench has.
	idleConnections = 256
)

var errTaken = errors.New("the goods are taken")

// Takes a key away from nobody but whoever has it.
var unlockScript = redis.NewScript(1, `
if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) end
return 0`)

// redlock is a lock on a majority of independent Redis.
type redlock struct {
	nodes []*redis.Pool
}

func newRedlock(urls []string) *redlock {
	lock := &redlock{}
	for _, url := range urls {
		url := url
		dial := func() (redis.Conn, error) { return redis.DialURL(url) }
		lock.nodes = append(lock.nodes, &redis.Pool{MaxIdle: idleConnections, Dial: dial})
	}
	return lock
}

// lease takes a key, and answers how to unlock it.
func (lock *redlock) lease(ctx context.Context, key string) (unlock func(), err error) {
	token, err := newToken()
	if err != nil {
		return nil, err
	}
	unlock = func() {
		lock.ask(func(node redis.Conn) bool {
			_, err := unlockScript.Do(node, key, token)
			return err == nil
		})
	}
	for try := 0; try < triesMax; try++ {
		asked := time.Now()
		votes := lock.ask(func(node redis.Conn) bool {
			answer, err := redis.String(node.Do("SET", key, token, "NX", "PX", leaseTime.Milliseconds()))
			return err == nil && answer == "OK"
		})
		if votes > len(lock.nodes)/2 && time.Since(asked) < leaseTime-driftTime {
			return unlock, nil
		}
		unlock()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause()):
		}
	}
	return nil, errTaken
}

// ask asks all nodes at once, waits for all, and counts those that said yes.
func (lock *redlock) ask(question func(redis.Conn) bool) int {
	answers := make(chan bool, len(lock.nodes))
	for _, node := range lock.nodes {
		go func(node *redis.Pool) {
			connection := node.Get()
			defer connection.Close()
			answers <- question(connection)
		}(node)
	}
	votes := 0
	for range lock.nodes {
		if <-answers {
			votes++
		}
	}
	return votes
}

func newToken() (string, error) {
	bytes := make([]byte, 16)
	if _, err := rand.Read(bytes); err != nil {
		return "", err
	}
	return hex.EncodeToString(bytes), nil
}

func pause() time.Duration {
	return pauseTimeMin + time.Duration(mathrand.Int63n(int64(pauseTimeMax-pauseTimeMin)))
}
