// Print predictions in C++: g++ -std=c++17 subscriber.cpp -o subscriber -lzmq; ./subscriber [ADDRESS]
// Debian: apt-get install g++ cppzmq-dev libmsgpack-cxx-dev
#include <cstdio>
#include <map>
#include <msgpack.hpp>
#include <string>
#include <zmq.hpp>

int main(int count, char** arguments) {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::sub);
  socket.connect(count > 1 ? arguments[1] : "tcp://127.0.0.1:5556");
  socket.set(zmq::sockopt::subscribe, "emotion.");
  for (zmq::message_t topic, body; socket.recv(topic) && socket.recv(body);) {
    const auto handle = msgpack::unpack(static_cast<const char*>(body.data()), body.size());
    auto message = handle.get().as<std::map<std::string, msgpack::object>>();
    std::printf("%s %llu %llu %s %.2f\n", message["stream"].as<std::string>().c_str(),
                message["seq"].as<unsigned long long>(), message["t_end"].as<unsigned long long>(),
                message["label"].as<std::string>().c_str(), message["confidence"].as<double>());
    std::fflush(stdout);
  }
}
