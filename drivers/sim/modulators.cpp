// Six delta-sigma modulators in integers, for drivers/sim/modulator.py, which says what they compute and how it is known
// to be right. Whoever calls may go on while a thread of this file's own makes the bits.
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <thread>

namespace {

constexpr int CHANNELS = 6, PLACES = 8, NODES = 6, TICKS = 64, HALF = 32, HOLD = 2, LOOK = 4;
constexpr int KEEP_ALIVE = 128;
constexpr int32_t ONE = 1 << 24, LIMIT = 32 * ONE;

// A vector register holds WIDTH channels in 32 bits each, or half as many in 64; PARTS of them hold all. What is written
// with these types is computed alike on every machine, by one instruction or by several.
#ifdef __AVX2__
constexpr int WIDTH = 8;
#else
constexpr int WIDTH = 4;
#endif
constexpr int PARTS = PLACES / WIDTH;
typedef int32_t Lanes __attribute__((vector_size(4 * WIDTH)));
typedef int64_t Wide __attribute__((vector_size(4 * WIDTH)));
typedef double Doubles __attribute__((vector_size(4 * WIDTH)));

// Upper halves of the numbers of both: of 256 bits as the processor has it at hand, so that lanes are out of order.
#ifdef __AVX2__
constexpr int LANE[CHANNELS] = {0, 1, 4, 5, 2, 3};
#define UPPER 1, 3, 9, 11, 5, 7, 13, 15
#else
constexpr int LANE[CHANNELS] = {0, 1, 2, 3, 4, 5};
#define UPPER 1, 3, 5, 7
#endif
inline Lanes upper(Wide a, Wide b) {
#ifdef __clang__
    return __builtin_shufflevector((Lanes)a, (Lanes)b, UPPER);
#else
    return __builtin_shuffle((Lanes)a, (Lanes)b, (Lanes){UPPER});
#endif
}

struct State {
    Lanes x, y;
};

// A part's 64 ticks from the value of its input in 2^-56 and the five differences from one that is held to the next. `negative` receives
// a bit a tick, the first at the top. Without LIMITED false, and nothing changed, if some y may have left +-LIMIT: it is
// looked at every LOOK ticks, in which it cannot come from beyond LIMIT to within half of it, nor around by 32 bits.
template <bool LIMITED>
inline bool modulate(State& state, const Wide (&d)[NODES][2], uint32_t (*negative)[PLACES]) {
    const Lanes two = Lanes{} + 2 * ONE, four = Lanes{} + 4 * ONE, limit = Lanes{} + LIMIT, half_limit = Lanes{} + LIMIT / 2;
    Wide a0 = d[0][0], a1 = d[1][0], a2 = d[2][0], a3 = d[3][0], a4 = d[4][0], a5 = d[5][0];
    Wide b0 = d[0][1], b1 = d[1][1], b2 = d[2][1], b3 = d[3][1], b4 = d[4][1], b5 = d[5][1];
    Lanes x = state.x - two, y = state.y, outside = {};  // v is +1 in what follows, and put right where y is negative
    for (int half = 0; half < TICKS / HALF; half++) {
        Lanes signs = {};
        for (int t = 0; t < HALF; t += LOOK) {
            Lanes u = {};  // less one
            for (int k = 0; k < LOOK; k++) {
                if (k % HOLD == 0) {
                    u = upper(a0, b0);
                    a0 += a1, a1 += a2, a2 += a3, a3 += a4, a4 += a5;
                    b0 += b1, b1 += b2, b2 += b3, b3 += b4, b4 += b5;
                }
                const Lanes sign = y >> 31;
                signs = signs + signs - sign;
                y = y + x + (sign & four);
                x = x + u + (sign & two);
                if (LIMITED) {
                    y = y > limit ? limit : y;
                    y = y < -limit ? -limit : y;
                }
            }
            if (!LIMITED) outside |= y + half_limit;
        }
        memcpy(negative[half], &signs, sizeof signs);
    }
    if (!LIMITED)
        for (int lane = 0; lane < WIDTH; lane++)
            if ((uint32_t)outside[lane] >> 29) return false;
    state.x = x + two;
    state.y = y;
    return true;
}

// Eight bytes of eight bits each, rows for columns (Warren, Hacker's Delight, 7-3).
inline uint64_t transposed(uint64_t m) {
    uint64_t t = (m ^ (m >> 7)) & 0x00AA00AA00AA00AA;
    m ^= t ^ (t << 7);
    t = (m ^ (m >> 14)) & 0x0000CCCC0000CCCC;
    m ^= t ^ (t << 14);
    t = (m ^ (m >> 28)) & 0x00000000F0F0F0F0;
    return m ^ t ^ (t << 28);
}

// What a channel sends: its modulator's bits, but every KEEP_ALIVE-th of equal ones inverted.
class Sent {
  public:
    // 64 ticks, the first at the top.
    uint64_t next(uint64_t bits) {
        const bool steady = bits == 0 || bits == ~(uint64_t)0;
        if (steady || steady_) bits = broken(bits);
        steady_ = steady;
        before_ = last_;
        last_ = bits;
        return bits;
    }

  private:
    // A run of KEEP_ALIVE has a whole block of ticks in it, so only then anything is to be done.
    uint64_t broken(uint64_t bits) const {
        unsigned bit = last_ & 1;
        int run = equal(last_);
        if (run == TICKS && (before_ & 1) == bit) run += equal(before_);
        for (int t = TICKS - 1; t >= 0; t--) {
            const unsigned now = bits >> t & 1;
            run = now == bit ? run + 1 : 1;
            bit = now;
            if (run == KEEP_ALIVE) {
                bits ^= (uint64_t)1 << t;
                bit = !now;
                run = 1;
            }
        }
        return bits;
    }

    // How many of the last ticks are equal.
    static int equal(uint64_t bits) {
        const uint64_t other = bits & 1 ? ~bits : bits;
        return other ? __builtin_ctzll(other) : TICKS;
    }

    uint64_t last_ = 0x5555555555555555, before_ = last_;
    bool steady_ = false;
};

// Bit c of bits[t] is channel c's at tick t.
inline void write_bits(const uint64_t (&sent)[CHANNELS], uint8_t* bits) {
    for (int group = 0; group < TICKS / 8; group++) {
        uint64_t rows = 0;
        for (int c = 0; c < CHANNELS; c++) rows |= (sent[c] >> (TICKS - 8 - 8 * group) & 0xFF) << 8 * c;
        rows = transposed(rows);
        for (int t = 0; t < 8; t++) bits[8 * group + t] = rows >> 8 * (7 - t);
    }
}

struct Job {
    const double* density;  // points + NODES - 1 rows of PLACES
    size_t points;
    uint8_t* bits;  // points * TICKS
};

class Modulators {
  public:
    explicit Modulators(const double* differences) { memcpy(differences_, differences, sizeof differences_); }

    ~Modulators() {
        {
            std::lock_guard<std::mutex> lock(mutex_);
            ending_ = true;
        }
        wanted_.notify_one();
        if (thread_.joinable()) thread_.join();
    }

    void run(const Job& job) {
        for (size_t k = 0; k < job.points; k++) {
            uint32_t negative[TICKS / HALF][PLACES];
            for (int part = 0; part < PARTS; part++) {
                const double* density = job.density + PLACES * k + WIDTH * part;
                Wide d[NODES][2];
                for (int half = 0; half < 2; half++) differences(density + WIDTH / 2 * half, d, half);
                uint32_t(*to)[PLACES] = reinterpret_cast<uint32_t(*)[PLACES]>(&negative[0][WIDTH * part]);
                if (!modulate<false>(states_[part], d, to)) modulate<true>(states_[part], d, to);
            }
            uint64_t sent[CHANNELS];
            for (int c = 0; c < CHANNELS; c++) {
                const int lane = LANE[c];
                sent[c] = sent_[c].next(~((uint64_t)negative[0][lane] << HALF | negative[1][lane]));
            }
            write_bits(sent, job.bits + TICKS * k);
        }
    }

    // Has the thread make the bits; `finish` must be called before the next.
    void begin(const Job& job) {
        {
            std::lock_guard<std::mutex> lock(mutex_);
            if (!thread_.joinable()) {
                process_ = getpid();
                thread_ = std::thread(&Modulators::work, this);
            }
            job_ = job;
            stage_ = Stage::WAITING;
        }
        follow_priority();
        wanted_.notify_one();
    }

    // Returns when the bits are there; what the thread has not come to is done here.
    void finish() {
        std::unique_lock<std::mutex> lock(mutex_);
        if (stage_ == Stage::WAITING) {
            stage_ = Stage::MADE;
            lock.unlock();
            run(job_);
            return;
        }
        made_.wait(lock, [this] { return stage_ == Stage::MADE; });
    }

    // A process that forked has no thread of the one before it to wait for: it cannot take these apart.
    bool forked() const { return thread_.joinable() && process_ != getpid(); }

    bool made() {
        std::lock_guard<std::mutex> lock(mutex_);
        return stage_ == Stage::MADE;
    }

  private:
    enum class Stage { WAITING, WORKING, MADE };

    // The input's value less one, and its differences, in 2^-56, from NODES points of WIDTH / 2 channels.
    void differences(const double* density, Wide (&d)[NODES][2], int half) const {
        Doubles at[NODES];
        for (int j = 0; j < NODES; j++) memcpy(&at[j], density + PLACES * j, sizeof at[j]);
        for (int n = 0; n < NODES; n++) {
            Doubles total = differences_[n][0] * at[0];
            for (int j = 1; j < NODES; j++) total += differences_[n][j] * at[j];
            if (n == 0) total += 0x1p31;  // half of 2^-24: its upper half is rounded, not cut
            d[n][half] = __builtin_convertvector(total, Wide);
        }
        d[0][half] -= (int64_t)1 << 56;
    }

    void work() {
        std::unique_lock<std::mutex> lock(mutex_);
        task_ = (pid_t)syscall(SYS_gettid);
        for (;;) {
            wanted_.wait(lock, [this] { return ending_ || stage_ == Stage::WAITING; });
            if (ending_) return;
            stage_ = Stage::WORKING;
            lock.unlock();
            run(job_);
            lock.lock();
            stage_ = Stage::MADE;
            made_.notify_one();
        }
    }

    // The thread is as urgent as who calls, less one where that is in real time: it never keeps a caller from running.
    void follow_priority() {
        const int policy = sched_getscheduler(0);
        sched_param its = {};
        if (policy < 0 || sched_getparam(0, &its) || (policy == policy_ && its.sched_priority == priority_)) return;
        std::lock_guard<std::mutex> lock(mutex_);
        if (!task_) return;  // it has hardly begun: next time
        policy_ = policy, priority_ = its.sched_priority;
        if (its.sched_priority > 1) its.sched_priority--;
        sched_setscheduler(task_, policy, &its);
    }

    double differences_[NODES][NODES];
    State states_[PARTS] = {};
    Sent sent_[CHANNELS];
    std::mutex mutex_;
    std::condition_variable wanted_, made_;
    std::thread thread_;
    Job job_ = {};
    Stage stage_ = Stage::MADE;
    bool ending_ = false;
    pid_t process_ = 0, task_ = 0;
    int policy_ = SCHED_OTHER, priority_ = 0;
};

}  // namespace

extern "C" {

void* modulators_new(const double* differences) { return new Modulators(differences); }
void modulators_free(void* handle) {
    Modulators* const modulators = static_cast<Modulators*>(handle);
    if (!modulators->forked()) delete modulators;
}
void modulators_run(void* handle, const double* density, size_t points, uint8_t* bits) {
    static_cast<Modulators*>(handle)->run({density, points, bits});
}
void modulators_begin(void* handle, const double* density, size_t points, uint8_t* bits) {
    static_cast<Modulators*>(handle)->begin({density, points, bits});
}
void modulators_finish(void* handle) { static_cast<Modulators*>(handle)->finish(); }
int modulators_made(void* handle) { return static_cast<Modulators*>(handle)->made(); }
}
