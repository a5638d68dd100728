package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAMemoryIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("").(*memory)
		put := func(key string) {
			require.NoError(t, m.update(t.Context(), key, time.Minute, func([]byte) []byte { return []byte(key) }))
		}
		put("first")
		time.Sleep(time.Second)
		for i := range maxValues {
			put(fmt.Sprint(i))
		}
		assert.Len(t, m.values, maxValues)
		assert.NotContains(t, m.values, "first", "the oldest went")
		time.Sleep(2 * time.Minute)
		put("1")
		assert.Len(t, m.values, 1)

		take := func(key string) time.Duration {
			wait, err := m.take(t.Context(), key, 1, time.Minute)
			require.NoError(t, err)
			return wait
		}
		for i := range maxCounts {
			require.Zero(t, take(fmt.Sprint(i)))
		}
		assert.Equal(t, time.Minute, take("one more"))
		time.Sleep(time.Minute)
		assert.Zero(t, take("one more"))
		assert.Len(t, m.counts, 1)
	})
}

func TestAStoreCountsAndKeeps(t *testing.T) {
	t.Parallel()
	t.Run("memory", func(t *testing.T) { t.Parallel(); storeKeepsItsPromises(t, newMemory("test")) })
	t.Run("Redis", func(t *testing.T) { t.Parallel(); storeKeepsItsPromises(t, startRedis(t).store("test")) })
}

func storeKeepsItsPromises(t *testing.T, s store) {
	ctx := t.Context()
	var through atomic.Int32
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			wait, err := s.take(ctx, "a@example.com", 5, time.Minute)
			assert.NoError(t, err)
			if wait == 0 {
				through.Add(1)
				return
			}
			assert.LessOrEqual(t, wait, time.Minute)
			assert.Greater(t, wait, 30*time.Second)
		})
	}
	all.Wait()
	assert.EqualValues(t, 5, through.Load(), "counted atomically")
	wait, err := s.take(ctx, "b@example.com", 5, time.Minute)
	assert.NoError(t, err)
	assert.Zero(t, wait, "another key is another count")
	_, err = s.take(ctx, "short", 1, 20*time.Millisecond)
	assert.NoError(t, err)
	assert.Eventually(t, func() bool { wait, err := s.take(ctx, "short", 1, 20*time.Millisecond); return wait == 0 && err == nil },
		10*time.Second, time.Millisecond, "a window ends, although refused uses go on")

	require.NoError(t, s.update(ctx, "a@example.com", 0, func([]byte) []byte { return nil }))
	wait, err = s.take(ctx, "a@example.com", 1, time.Minute)
	assert.NoError(t, err)
	assert.Zero(t, wait, "nil removes a count, too")

	for range 20 {
		all.Go(func() {
			assert.NoError(t, s.update(ctx, "value", time.Minute, func(old []byte) []byte { return append(old, 'x') }))
		})
	}
	all.Wait()
	read := func(key string) (value []byte) {
		require.NoError(t, s.update(ctx, key, 0, func(old []byte) []byte { value = old; return old }))
		return value
	}
	assert.Len(t, read("value"), 20, "no update is lost")
	assert.Nil(t, read("none"))
	require.NoError(t, s.update(ctx, "value", time.Minute, func([]byte) []byte { return nil }))
	assert.Nil(t, read("value"), "nil removes it")

	require.NoError(t, s.update(ctx, "brief", 50*time.Millisecond, func([]byte) []byte { return []byte("x") }))
	assert.Eventually(t, func() bool {
		gone := false
		err := s.update(ctx, "brief", 0, func(old []byte) []byte {
			gone = old == nil
			return append(old, 'x') // which is not kept, once it is gone
		})
		return gone && err == nil
	}, 10*time.Second, time.Millisecond, "updates without a life do not prolong it")
	assert.Nil(t, read("brief"))
	keep := func(key string, life time.Duration) {
		require.NoError(t, s.update(ctx, key, life, func([]byte) []byte { return []byte("y") }))
	}
	keep("renewed", 20*time.Millisecond)
	keep("renewed", time.Minute)
	keep("over", 20*time.Millisecond)
	assert.Eventually(t, func() bool { return read("over") == nil }, 10*time.Second, time.Millisecond)
	assert.Equal(t, "y", string(read("renewed")), "a life prolongs it")
}
