package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// sharedStores are in a Redis that several processes share. Its keys are hashes, so that a list of
// them tells no address and opens no session; its values are secret.
type sharedStores struct{ *redis.Client }

// openRedis connects, so that a wrong URL is noticed at the start.
func openRedis(ctx context.Context, url string) (sharedStores, error) {
	options, err := redis.ParseURL(url)
	if err != nil {
		return sharedStores{}, errors.New("it must be like redis://user:password@host:6379/0") // not err, which may quote the password
	}
	client := redis.NewClient(options)
	if err := client.Ping(ctx).Err(); err != nil {
		return sharedStores{}, errors.Join(err, client.Close())
	}
	return sharedStores{client}, nil
}

func (s sharedStores) store(kind string) store { return redisStore{s.Client, "webapp:" + kind + ":"} }

type redisStore struct {
	client *redis.Client
	prefix string
}

func (s redisStore) key(key string) string {
	hash := sha256.Sum256([]byte(key))
	return s.prefix + hex.EncodeToString(hash[:])
}

func (s redisStore) take(ctx context.Context, key string, most int, window time.Duration) (time.Duration, error) {
	key = s.key(key)
	var times *redis.IntCmd
	var left *redis.DurationCmd
	_, err := s.client.TxPipelined(ctx, func(all redis.Pipeliner) error {
		all.SetNX(ctx, key, 0, window)
		times = all.Incr(ctx, key)
		left = all.PTTL(ctx, key)
		return nil
	})
	if err != nil || times.Val() <= int64(most) {
		return 0, err
	}
	return max(left.Val(), time.Millisecond), nil
}

// attempts is how often an update is tried against faster ones.
const attempts = 100

func (s redisStore) update(ctx context.Context, key string, life time.Duration, change func([]byte) []byte) error {
	key = s.key(key)
	try := func(tx *redis.Tx) error {
		old, err := tx.Get(ctx, key).Bytes()
		if errors.Is(err, redis.Nil) {
			old, err = nil, nil
		}
		if err != nil {
			return err
		}
		data := change(old)
		if life == 0 && (old == nil || string(data) == string(old)) {
			return nil // it was read
		}
		_, err = tx.TxPipelined(ctx, func(all redis.Pipeliner) error {
			switch {
			case data == nil:
				all.Del(ctx, key)
			case life > 0:
				all.Set(ctx, key, data, life)
			default:
				all.Set(ctx, key, data, redis.KeepTTL)
			}
			return nil
		})
		return err
	}
	for range attempts {
		if err := s.client.Watch(ctx, try, key); !errors.Is(err, redis.TxFailedErr) {
			return err
		}
	}
	return redis.TxFailedErr
}
