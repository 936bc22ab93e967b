package dev.fanfare.spring;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import org.springframework.core.Ordered;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/** What one transaction publishes. */
final class PublishBuffer implements TransactionSynchronization, Ordered {

    /*
     * State: what waits, and how much there was at each savepoint. A savepoint that is not known was set before anything
     * was published, so a rollback to it leaves nothing.
     *
     * Threads: confined to the transaction's thread. While another transaction runs inside, this one is suspended, and
     * so is the buffer.
     *
     * Ordering: it has the lowest precedence among the synchronizations, so that what others write before the commit is
     * written, and locked, before. Of others with the lowest precedence, those come before that were registered before. What
     * is published after all that is inserted at once.
     */

    private final TransactionalPublisher publisher;
    private final List<Pending> waiting = new ArrayList<>();
    private final IdentityHashMap<Object, Integer> savepoints = new IdentityHashMap<>();
    private boolean isInserted;
    private int count;

    PublishBuffer(TransactionalPublisher publisher) {
        this.publisher = publisher;
    }

    void add(Pending pending) {
        if (++count > TransactionalPublisher.MOST) {
            throw new IllegalStateException("One transaction may publish " + TransactionalPublisher.MOST
                    + " times; publish in several, or publish summaries");
        }
        if (isInserted) {
            publisher.insert(List.of(pending));
        } else {
            waiting.add(pending);
        }
    }

    @Override
    public int getOrder() {
        return Ordered.LOWEST_PRECEDENCE;
    }

    @Override
    public void suspend() {
        TransactionSynchronizationManager.unbindResource(publisher);
    }

    @Override
    public void resume() {
        TransactionSynchronizationManager.bindResource(publisher, this);
    }

    @Override
    public void savepoint(Object savepoint) {
        savepoints.put(savepoint, waiting.size());
    }

    @Override
    public void savepointRollback(Object savepoint) {
        int size = savepoints.getOrDefault(savepoint, 0);
        waiting.subList(size, waiting.size()).clear();
    }

    @Override
    public void beforeCommit(boolean readOnly) {
        isInserted = true;
        if (!waiting.isEmpty()) {
            publisher.insert(waiting);
        }
    }

    @Override
    public void afterCompletion(int status) {
        TransactionSynchronizationManager.unbindResourceIfPossible(publisher);
        if (status != STATUS_ROLLED_BACK) {
            publisher.committed();
        }
    }
}
